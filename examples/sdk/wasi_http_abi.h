/* The functions of WASI 0.2.10 that wasi_http.h calls, as the canonical ABI flattens them.
 *
 * Handles are ints. A string or list goes in as pointer and length. What does not fit one result is written to the last
 * pointer: a discriminant byte, then the payload at its own alignment (4 here, 8 where an error-code may stand). */
#pragma once

#define WASI_VERSION "0.2.10"
#define WASI(package, function) __attribute__((import_module(package "@" WASI_VERSION), import_name(function))) extern
#define TYPES "wasi:http/types"
#define STREAMS "wasi:io/streams"

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef __SIZE_TYPE__ size_t;

WASI(TYPES, "[constructor]fields") int fields_new(void);
WASI(TYPES, "[method]fields.append") void fields_append(int self, const char *name, u32, const char *value, u32, void *out);
WASI(TYPES, "[method]fields.get") void fields_get(int self, const char *name, u32, void *out);
WASI(TYPES, "[resource-drop]fields") void fields_drop(int);

WASI(TYPES, "[method]incoming-request.method") void request_method(int self, void *out);
WASI(TYPES, "[method]incoming-request.path-with-query") void request_path(int self, void *out);
WASI(TYPES, "[method]incoming-request.headers") int request_headers(int self);
WASI(TYPES, "[method]incoming-request.consume") void request_consume(int self, void *out);
WASI(TYPES, "[method]incoming-body.stream") void incoming_body_stream(int self, void *out);
WASI(TYPES, "[static]incoming-body.finish") int incoming_body_finish(int self);
WASI(TYPES, "[resource-drop]incoming-body") void incoming_body_drop(int);

WASI(TYPES, "[method]future-trailers.subscribe") int future_trailers_subscribe(int self);
WASI(TYPES, "[method]future-trailers.get") void future_trailers_get(int self, void *out);
WASI(TYPES, "[resource-drop]future-trailers") void future_trailers_drop(int);

WASI(TYPES, "[constructor]outgoing-response") int response_new(int headers);
WASI(TYPES, "[method]outgoing-response.set-status-code") int response_set_status(int self, int status);
WASI(TYPES, "[method]outgoing-response.body") void response_body(int self, void *out);
WASI(TYPES, "[static]response-outparam.set")
void outparam_set(int self, int is_error, int response, int, u64, int, int, int, int);
WASI(TYPES, "[method]outgoing-body.write") void outgoing_body_write(int self, void *out);
WASI(TYPES, "[static]outgoing-body.finish") void outgoing_body_finish(int self, int has_trailers, int trailers, void *out);

WASI(TYPES, "[constructor]outgoing-request") int outgoing_request_new(int headers);
WASI(TYPES, "[method]outgoing-request.set-scheme") int outgoing_request_set_scheme(int, int some, int scheme, int, int);
WASI(TYPES, "[method]outgoing-request.set-authority") int outgoing_request_set_authority(int, int some, const char *, u32);
WASI(TYPES, "[method]outgoing-request.set-path-with-query") int outgoing_request_set_path(int, int some, const char *, u32);
WASI("wasi:http/outgoing-handler", "handle") void outgoing_handle(int request, int some, int options, void *out);
WASI(TYPES, "[method]future-incoming-response.subscribe") int future_response_subscribe(int self);
WASI(TYPES, "[method]future-incoming-response.get") void future_response_get(int self, void *out);
WASI(TYPES, "[resource-drop]future-incoming-response") void future_response_drop(int);
WASI(TYPES, "[method]incoming-response.status") int incoming_response_status(int self);
WASI(TYPES, "[method]incoming-response.consume") void incoming_response_consume(int self, void *out);
WASI(TYPES, "[resource-drop]incoming-response") void incoming_response_drop(int);

WASI(STREAMS, "[method]input-stream.blocking-read") void stream_read(int self, u64 most, void *out);
WASI(STREAMS, "[resource-drop]input-stream") void input_stream_drop(int);
WASI(STREAMS, "[method]output-stream.blocking-write-and-flush") void stream_write(int self, const void *, u32, void *out);
WASI(STREAMS, "[resource-drop]output-stream") void output_stream_drop(int);

WASI("wasi:io/poll", "[method]pollable.block") void pollable_block(int self);
WASI("wasi:io/poll", "[resource-drop]pollable") void pollable_drop(int);
WASI("wasi:clocks/monotonic-clock", "subscribe-duration") int subscribe_duration(u64 nanoseconds);
WASI("wasi:cli/stdout", "get-stdout") int get_stdout(void);
