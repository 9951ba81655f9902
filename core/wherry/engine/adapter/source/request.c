/* wasi:http/types, what came in: incoming-request, incoming-body, future-trailers; and the reading of the head. */
#include "codes.h"
#include "fields.h"
#include "host.h"

IMPORT("resource", "[resource-new]incoming-request") handle new_request(incoming_request *);
IMPORT("resource", "[resource-new]incoming-body") handle new_incoming_body(incoming_body *);
IMPORT("resource", "[resource-rep]incoming-body") incoming_body *incoming_body_of(handle);
IMPORT("resource", "[resource-drop]incoming-body") void drop_incoming_body(handle);
IMPORT("resource", "[resource-new]future-trailers") handle new_trailers(future_trailers *);

static struct {
  string method, path, scheme, authority, mode;
  fields *headers, *trailers;
} request;

static fields *parse_fields(string *text) {
  fields *f = fields_make(16);
  f->immutable = f->sliced = 1;
  for (string name; text->size && (name = next_line(text)).size;) {
    string value = next_line(text);
    if (!is_forbidden(name)) fields_add(f, name, value);
  }
  return f;
}

/* Latin-1, as lowered by the host: a set top bit would say UTF-16, which no head needs. */
EXPORT("prepare") void request_prepare(FLAT(head)) {
  string head = UNFLAT(head);
  if (head.size >> 31) __builtin_trap();
  request.method = next_line(&head);
  request.path = next_line(&head);
  request.scheme = next_line(&head);
  request.authority = next_line(&head);
  request.mode = next_line(&head);
  request.headers = parse_fields(&head);
  request.trailers = head.size ? parse_fields(&head) : NONE;
}

EXPORT("take-request") handle request_take(void) {
  incoming_request *self = allocate(sizeof *self);
  *self = (incoming_request){.headers = request.headers};
  return new_request(self);
}

EXPORT("[method]incoming-request.method") area *request_method(const incoming_request *self) {
  return method_result(request.method);
}

EXPORT("[method]incoming-request.path-with-query") area *request_path(const incoming_request *self) {
  return optional_string(request.path);
}

EXPORT("[method]incoming-request.scheme") area *request_scheme(const incoming_request *self) {
  return optional_scheme(request.scheme);
}

EXPORT("[method]incoming-request.authority") area *request_authority(const incoming_request *self) {
  return optional_string(request.authority);
}

EXPORT("[method]incoming-request.headers") handle request_headers(const incoming_request *self) {
  return fields_handle(fields_share(self->headers));
}

EXPORT("[method]incoming-request.consume") area *request_consume(incoming_request *self) {
  if (self->consumed) return error(0);
  self->consumed = 1;
  incoming_body *body = allocate(sizeof *body);
  *body = (incoming_body){NONE};
  return ok(new_incoming_body(body));
}

EXPORT("[method]incoming-body.stream") area *incoming_body_stream(incoming_body *self) {
  if (self->streamed) return error(0);
  self->streamed = 1;
  return ok(self->native ? native_body_stream(self->native) : get_stdin());
}

EXPORT("[static]incoming-body.finish") handle incoming_body_finish(handle owned) {
  incoming_body *body = incoming_body_of(owned);
  future_trailers *future = allocate(sizeof *future);
  *future = (future_trailers){.native = body->native ? native_body_finish(body->native) : NONE};
  body->native = NONE;
  drop_incoming_body(owned);
  return new_trailers(future);
}

EXPORT("[method]future-trailers.subscribe") handle trailers_subscribe(const future_trailers *self) {
  return self->native ? native_trailers_subscribe(self->native) : subscribe_duration(0);
}

static fields *request_trailers(void) {
  if (request.mode.size && request.mode.at[0] == 's') {
    string text;
    host_trailers(&text);
    return text.size ? parse_fields(&text) : NONE;
  }
  return request.trailers ? fields_share(request.trailers) : NONE;
}

/* option<result<result<option<trailers>, error-code>>>: the cases lie at 0, 8, 16 and 24. */
EXPORT("[method]future-trailers.get") area *trailers_get(future_trailers *self) {
  if (self->native && !self->taken) return native_trailers_get(self);
  out = (area){.byte[0] = 1, .byte[8] = self->taken};
  if (self->taken) return &out;
  self->taken = 1;
  fields *trailers = request_trailers();
  out.byte[24] = trailers != NONE;
  if (trailers) out.word[7] = fields_handle(trailers);
  return &out;
}
