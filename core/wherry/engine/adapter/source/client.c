/* wasi:http/types, what a guest asks of others, up to the sending: outgoing-request and request-options. */
#include "client.h"

IMPORT("resource", "[resource-new]outgoing-request") handle new_outgoing_request(outgoing_request *);
IMPORT("resource", "[resource-new]request-options") handle new_options(request_options *);

EXPORT("[constructor]outgoing-request") handle outgoing_request_new(handle headers) {
  outgoing_request *self = allocate(sizeof *self);
  *self = (outgoing_request){.headers = fields_take(headers)};
  self->headers->immutable = 1;
  return new_outgoing_request(self);
}

EXPORT("[method]outgoing-request.headers") handle outgoing_request_headers(const outgoing_request *self) {
  return fields_handle(fields_share(self->headers));
}

EXPORT("[method]outgoing-request.body") area *outgoing_request_body(outgoing_request *self) {
  if (self->bodied) return error(0);
  self->bodied = 1;
  return ok(outgoing_body_handle(request_body(self), NONE));
}

static void replace(string *old, string text) {
  release(old->at, old->size);
  *old = text;
}

EXPORT("[method]outgoing-request.method") area *outgoing_request_method(const outgoing_request *self) {
  return method_result(request_method_of(self));
}

EXPORT("[method]outgoing-request.set-method")
int outgoing_request_set_method(outgoing_request *self, u32 kind, FLAT(other)) {
  string other = UNFLAT(other);
  if (kind < METHOD_OTHER) {
    replace(&self->method, duplicate(named(method_names[kind])));
    return 0;
  }
  if (!is_token(other)) return 1;
  replace(&self->method, other);
  return 0;
}

EXPORT("[method]outgoing-request.path-with-query") area *outgoing_request_path(const outgoing_request *self) {
  return optional_string(self->path);
}

EXPORT("[method]outgoing-request.set-path-with-query")
int outgoing_request_set_path(outgoing_request *self, u32 some, FLAT(path)) {
  string path = UNFLAT(path);
  if (some && !is_target(path)) return 1;
  replace(&self->path, some ? path : (string){0});
  return 0;
}

EXPORT("[method]outgoing-request.scheme") area *outgoing_request_scheme(const outgoing_request *self) {
  return optional_scheme(self->scheme);
}

EXPORT("[method]outgoing-request.set-scheme")
int outgoing_request_set_scheme(outgoing_request *self, u32 some, u32 kind, FLAT(other)) {
  string other = UNFLAT(other);
  if (some && kind == SCHEME_OTHER && !is_token(other)) return 1;
  if (kind == SCHEME_HTTP) other = duplicate(TEXT("http"));
  if (kind == SCHEME_HTTPS) other = duplicate(TEXT("https"));
  replace(&self->scheme, some ? other : (string){0});
  return 0;
}

EXPORT("[method]outgoing-request.authority") area *outgoing_request_authority(const outgoing_request *self) {
  return optional_string(self->authority);
}

EXPORT("[method]outgoing-request.set-authority")
int outgoing_request_set_authority(outgoing_request *self, u32 some, FLAT(authority)) {
  string authority = UNFLAT(authority);
  if (some && !is_target(authority)) return 1;
  replace(&self->authority, some ? authority : (string){0});
  return 0;
}

EXPORT("[constructor]request-options") handle options_new(void) {
  request_options *self = allocate(sizeof *self);
  *self = (request_options){0};
  return new_options(self);
}

static area *timeout_get(const request_options *self, u32 which) {
  out.byte[0] = self->set[which];
  out.wide[1] = self->timeout[which];
  return &out;
}

static int timeout_set(request_options *self, u32 which, u32 some, u64 nanoseconds) {
  self->set[which] = some;
  self->timeout[which] = nanoseconds;
  return 0;
}

#define TIMEOUT(which, name)                                                                                         \
  EXPORT("[method]request-options." name "-timeout") area *get_timeout_##which(const request_options *self) {        \
    return timeout_get(self, which);                                                                                 \
  }                                                                                                                  \
  EXPORT("[method]request-options.set-" name "-timeout")                                                             \
  int set_timeout_##which(request_options *self, u32 some, u64 nanoseconds) {                                        \
    return timeout_set(self, which, some, nanoseconds);                                                              \
  }

TIMEOUT(0, "connect")
TIMEOUT(1, "first-byte")
TIMEOUT(2, "between-bytes")
