/* The host's functions that the adapter calls. Lists come back in memory of ours, and are ours to release. */
#ifndef HOST_H
#define HOST_H

#include "heap.h"

IMPORT("wasi:cli/stdin", "get-stdin") handle get_stdin(void);
IMPORT("wasi:cli/stdout", "get-stdout") handle get_stdout(void);
IMPORT("wasi:cli/stderr", "get-stderr") handle get_stderr(void);
IMPORT("wasi:io/streams", "[method]output-stream.blocking-write-and-flush")
void blocking_write_and_flush(handle, const u8 *, u32, u8 *);
IMPORT("wasi:clocks/monotonic-clock", "subscribe-duration") handle subscribe_duration(u64 nanoseconds);
IMPORT("wherry:host/control", "respond") void host_respond(const u8 *, u32);
IMPORT("wherry:host/control", "trailers") void host_trailers(string *);

/* Returns 0 when the stream is closed or broken: nobody is left to tell. */
int write_all(handle stream, string text);

#endif
