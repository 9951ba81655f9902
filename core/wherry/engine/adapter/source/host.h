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

#ifdef OUTBOUND
handle native_body_stream(handle body);
handle native_body_finish(handle body);
handle native_trailers_subscribe(handle future);
area *native_trailers_get(future_trailers *future);
handle native_write(handle body);
area *native_finish(handle body, int some, handle trailers);
#else
#define native_body_stream(body) NONE
#define native_body_finish(body) NONE
#define native_trailers_subscribe(future) NONE
#define native_trailers_get(future) NONE
#define native_write(body) NONE
#define native_finish(body, some, trailers) denied_finish(some, trailers)
area *denied_finish(int some, handle trailers);
#endif

#endif
