#include "host.h"

/* The most that one blocking-write-and-flush takes (wasi:io/streams). */
#define CHUNK 4096u

int write_all(handle stream, string text) {
  while (text.size) {
    u8 result[12];
    u32 size = text.size < CHUNK ? text.size : CHUNK;
    blocking_write_and_flush(stream, text.at, size, result);
    if (result[0]) return 0;
    text.at += size;
    text.size -= size;
  }
  return 1;
}
