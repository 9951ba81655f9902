/* wasi:http/outgoing-handler for a guest that may call nobody: every request is denied before it is sent, and the log
   says which field would allow it. */
#include "client.h"

IMPORT("resource", "[resource-rep]outgoing-request") outgoing_request *request_of(handle);
IMPORT("resource", "[resource-drop]outgoing-request") void drop_request(handle);
IMPORT("resource", "[resource-drop]request-options") void drop_options(handle);

handle request_body(outgoing_request *request) { return DENIED; }

static u32 append(u8 *line, u32 at, string s) {
  copy(line + at, s.at, s.size);
  return at + s.size;
}

static u32 append_origin(u8 *line, u32 at, const outgoing_request *r) {
  at = append(line, at, r->scheme.size ? r->scheme : TEXT("https"));
  at = append(line, at, TEXT("://"));
  return append(line, at, r->authority);
}

static void tell(const outgoing_request *r) {
  u32 room = 128 + r->method.size + 2 * (r->scheme.size + r->authority.size), at = 0;
  u8 *line = allocate(room);
  at = append(line, at, TEXT("outbound "));
  at = append(line, at, request_method_of(r));
  at = append(line, at, TEXT(" "));
  at = append_origin(line, at, r);
  at = append(line, at, TEXT(" refused: add \""));
  at = append_origin(line, at, r);
  at = append(line, at, TEXT("\" to spec.capabilities.outboundHTTP\n"));
  write_all(get_stderr(), (string){line, at});
  release(line, room);
}

EXPORT("handle") area *handle_denied(handle owned, int some, handle options) {
  tell(request_of(owned));
  drop_request(owned);
  if (some) drop_options(options);
  out = (area){.byte[0] = 1, .byte[8] = HTTP_REQUEST_DENIED};
  return &out;
}

/* A future that never was has no other functions, but a guest may import them. */
EXPORT("[method]future-incoming-response.subscribe") handle future_subscribe(const future_response *self) {
  __builtin_trap();
}
EXPORT("[method]future-incoming-response.get") area *future_get(future_response *self) { __builtin_trap(); }
EXPORT("[method]incoming-response.status") int response_in_status(const incoming_response *self) { __builtin_trap(); }
EXPORT("[method]incoming-response.headers") handle response_in_headers(const incoming_response *self) {
  __builtin_trap();
}
EXPORT("[method]incoming-response.consume") area *response_in_consume(incoming_response *self) { __builtin_trap(); }
EXPORT("http-error-code") area *http_error_code(handle stream_error) {
  out.byte[0] = 0;
  return &out;
}
