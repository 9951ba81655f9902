/* wasi:io/poll over the host's own, in slices: an epoch deadline interrupts Wasm code, never a host call that sleeps. */
#include "host.h"

#define SLICE 50000000ull /* nanoseconds */

IMPORT("wasi:io/poll", "poll") void native_poll(const handle *, u32, string *);
IMPORT("wasi:io/poll", "[method]pollable.ready") int native_ready(handle);
IMPORT("wasi:io/poll", "[resource-drop]pollable") void native_drop(handle);

/* Sleeps until one of the first count is ready or the slice is over; list has room for one more. */
static void doze(handle *list, u32 count) {
  string ready;
  list[count] = subscribe_duration(SLICE);
  native_poll(list, count + 1, &ready);
  native_drop(list[count]);
  release(ready.at, ready.size * sizeof(u32));
}

static u32 collect(const handle *list, u32 count, u32 *indexes) {
  u32 found = 0;
  for (u32 i = 0; i < count; i++)
    if (native_ready(list[i])) indexes[found++] = i;
  return found;
}

EXPORT("poll") area *poll(handle *list, u32 count) {
  static u32 *indexes;
  static u32 room;
  if (!count) __builtin_trap();
  if (count >= room) {
    indexes = reallocate(indexes, room * sizeof(u32), 4, (count + 1) * sizeof(u32));
    room = count + 1;
  }
  handle *wider = reallocate(list, count * sizeof(handle), 4, (count + 1) * sizeof(handle));
  u32 found;
  while (!(found = collect(wider, count, indexes))) doze(wider, count);
  for (u32 i = 0; i < count; i++) native_drop(wider[i]);
  release(wider, (count + 1) * sizeof(handle));
  out.word[0] = (u32)indexes;
  out.word[1] = found;
  return &out;
}

EXPORT("[method]pollable.block") void pollable_block(handle self) {
  handle list[2] = {self};
  while (!native_ready(self)) doze(list, 1);
  native_drop(self);
}

EXPORT("[method]pollable.ready") int pollable_ready(handle self) {
  int ready = native_ready(self);
  native_drop(self);
  return ready;
}
