/* The host's own wasi:http, which only the outbound adapters import. Results land in an area of ours. */
#ifndef NATIVE_H
#define NATIVE_H

#include "heap.h"

extern area got;

#define HOST(name) IMPORT("wasi:http/types", name)

IMPORT("wherry:host/control", "egress") void host_egress(string *);
IMPORT("wasi:http/outgoing-handler", "handle") void native_handle(handle, int, handle, area *);
IMPORT("wasi:io/error", "[resource-drop]error") void native_error_drop(handle);
HOST("http-error-code") void native_error_code(handle, area *);

HOST("[constructor]fields") handle native_fields_new(void);
HOST("[static]fields.from-list") void native_fields_from_list(const field *, u32, area *);
HOST("[method]fields.entries") void native_fields_entries(handle, area *);
HOST("[resource-drop]fields") void native_fields_drop(handle);

HOST("[constructor]outgoing-request") handle native_request_new(handle);
HOST("[method]outgoing-request.set-method") int native_set_method(handle, u32, const u8 *, u32);
HOST("[method]outgoing-request.set-path-with-query") int native_set_path(handle, int, const u8 *, u32);
HOST("[method]outgoing-request.set-scheme") int native_set_scheme(handle, int, u32, const u8 *, u32);
HOST("[method]outgoing-request.set-authority") int native_set_authority(handle, int, const u8 *, u32);
HOST("[method]outgoing-request.body") void native_request_body(handle, area *);

HOST("[constructor]request-options") handle native_options_new(void);
HOST("[method]request-options.set-connect-timeout") int native_set_connect(handle, int, u64);
HOST("[method]request-options.set-first-byte-timeout") int native_set_first(handle, int, u64);
HOST("[method]request-options.set-between-bytes-timeout") int native_set_between(handle, int, u64);

HOST("[method]outgoing-body.write") void native_body_write(handle, area *);
HOST("[static]outgoing-body.finish") void native_body_out_finish(handle, int, handle, area *);

HOST("[method]future-incoming-response.subscribe") handle native_future_subscribe(handle);
HOST("[method]future-incoming-response.get") void native_future_get(handle, area *);
HOST("[method]incoming-response.status") int native_status(handle);
HOST("[method]incoming-response.headers") handle native_response_headers(handle);
HOST("[method]incoming-response.consume") void native_response_consume(handle, area *);
HOST("[resource-drop]incoming-response") void native_response_drop(handle);

HOST("[method]incoming-body.stream") void native_body_stream(handle, area *);
HOST("[static]incoming-body.finish") handle native_body_in_finish(handle);
HOST("[method]future-trailers.subscribe") handle native_trailers_subscribe(handle);
HOST("[method]future-trailers.get") void native_trailers_get(handle, area *);

#endif
