/* The request that is served: reading its head, and wasi:http/types, resource incoming-request. */
#include "bodies.h"
#include "codes.h"
#include "fields.h"
#include "host.h"

IMPORT("resource", "[resource-new]incoming-request") handle new_request(incoming_request *);

static struct {
  string method, path, scheme, authority, mode;
  fields *headers, *trailers;
} request;

/* Lines up to an empty one, which lie in block; the fields own it. */
static fields *parse_fields(string *text, string block) {
  fields *f = fields_make(16);
  f->immutable = 1;
  f->block = block;
  for (string name; text->size && (name = next_line(text)).size;) {
    string value = next_line(text);
    if (!is_forbidden(name)) fields_add(f, name, value);
  }
  return f;
}

static fields *trailers_in(string block) {
  string text = block;
  return text.size ? parse_fields(&text, block) : NONE;
}

/* Latin-1, as lowered by the host: a set top bit would say UTF-16, which no head needs. */
EXPORT("prepare") void request_prepare(FLAT(head)) {
  string head = UNFLAT(head), rest = head;
  if (head.size >> 31) __builtin_trap();
  response_reset();
  request.method = next_line(&rest);
  request.path = next_line(&rest);
  request.scheme = next_line(&rest);
  request.authority = next_line(&rest);
  request.mode = next_line(&rest);
  request.headers = parse_fields(&rest, head);
  if (request.trailers) fields_leave(request.trailers);
  request.trailers = trailers_in(duplicate(rest));
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
  return ok(incoming_body_handle(NONE));
}

handle request_stream(void) { return get_stdin(); }

fields *request_trailers(void) {
  if (request.mode.size && request.mode.at[0] == 's') {
    string text;
    host_trailers(&text);
    return trailers_in(text);
  }
  return request.trailers ? fields_share(request.trailers) : NONE;
}
