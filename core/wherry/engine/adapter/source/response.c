/* wasi:http/types, what goes out: outgoing-response, outgoing-body, response-outparam; and the writing of the head. */
#include "codes.h"
#include "fields.h"
#include "host.h"

IMPORT("resource", "[resource-new]outgoing-response") handle new_response(outgoing_response *);
IMPORT("resource", "[resource-rep]outgoing-response") outgoing_response *response_of(handle);
IMPORT("resource", "[resource-drop]outgoing-response") void drop_response(handle);
IMPORT("resource", "[resource-new]response-outparam") handle new_outparam(u32);
IMPORT("resource", "[resource-drop]response-outparam") void drop_outparam(handle);
IMPORT("resource", "[resource-new]outgoing-body") handle new_outgoing_body(outgoing_body *);
IMPORT("resource", "[resource-rep]outgoing-body") outgoing_body *outgoing_body_of(handle);
IMPORT("resource", "[resource-drop]outgoing-body") void drop_outgoing_body(handle);

enum { COMPLETE, COMPLETE_WITH_TRAILERS, UNANSWERED, INCOMPLETE };

static struct {
  handle output;
  u8 answered, bodied, streamed, finished;
  fields *trailers;
} response;

EXPORT("take-outparam") handle response_prepare(void) { return new_outparam(1); }

EXPORT("[constructor]outgoing-response") handle response_new(handle headers) {
  outgoing_response *self = allocate(sizeof *self);
  *self = (outgoing_response){.headers = fields_take(headers), .status = 200};
  self->headers->immutable = 1;
  return new_response(self);
}

EXPORT("[method]outgoing-response.status-code") int response_status(const outgoing_response *self) {
  return self->status;
}

EXPORT("[method]outgoing-response.set-status-code") int response_set_status(outgoing_response *self, u32 status) {
  if (status < 100 || status > 999) return 1;
  self->status = status;
  return 0;
}

EXPORT("[method]outgoing-response.headers") handle response_headers(const outgoing_response *self) {
  return fields_handle(fields_share(self->headers));
}

EXPORT("[method]outgoing-response.body") area *response_body(outgoing_response *self) {
  if (self->bodied) return error(0);
  self->bodied = response.bodied = 1;
  outgoing_body *body = allocate(sizeof *body);
  *body = (outgoing_body){NONE};
  return ok(new_outgoing_body(body));
}

static handle output(void) { return response.output ? response.output : get_stdout(); }

/* There is one stdout. A second response's body has nowhere to go, as in a host that was never given that response. */
static area *stream_response(void) {
  if (response.streamed) return error(0);
  response.streamed = 1;
  return ok(output());
}

EXPORT("[method]outgoing-body.write") area *outgoing_body_write(outgoing_body *self) {
  if (self->written) return error(0);
  self->written = 1;
  if (self->native == DENIED) return error(0);
  return self->native ? ok(native_write(self->native)) : stream_response();
}

static area *finish_response(int some, handle trailers) {
  response.finished = 1;
  if (some) response.trailers = fields_take(trailers);
  out.byte[0] = 0;
  return &out;
}

EXPORT("[static]outgoing-body.finish") area *outgoing_body_finish(handle owned, int some, handle trailers) {
  outgoing_body *body = outgoing_body_of(owned);
  handle native = body->native;
  body->native = NONE;
  drop_outgoing_body(owned);
  return native ? native_finish(native, some, trailers) : finish_response(some, trailers);
}

static u32 fields_size(const fields *f) {
  u32 size = 0;
  for (u32 i = 0; i < f->count; i++) size += f->list[i].name.size + f->list[i].value.size + 2;
  return size;
}

static u8 *put(u8 *at, string s) {
  copy(at, s.at, s.size);
  return at + s.size;
}

/* Lines, each after a line break: name, value, name, value. */
static u8 *put_fields(u8 *at, const fields *f) {
  for (u32 i = 0; i < f->count; i++) {
    *at++ = '\n';
    at = put(at, f->list[i].name);
    *at++ = '\n';
    at = put(at, f->list[i].value);
  }
  return at;
}

/* Once the guest has the stream, it may have written to it, and the head no longer comes first. */
static void send(string frame) {
  if (response.streamed) {
    host_respond(frame.at + 4, frame.size - 4);
    return;
  }
  response.output = get_stdout();
  copy(frame.at, &(u32){frame.size - 4}, 4);
  write_all(response.output, frame);
}

static void send_head(const outgoing_response *r) {
  string frame = {allocate(7 + fields_size(r->headers)), 7 + fields_size(r->headers)};
  for (u32 i = 3, rest = r->status; i--; rest /= 10) frame.at[4 + i] = '0' + rest % 10;
  put_fields(frame.at + 7, r->headers);
  send(frame);
  release(frame.at, frame.size);
}

static void send_error(u8 code) {
  string name = named(error_names[code]), frame = {allocate(6 + name.size), 6 + name.size};
  put(put(frame.at + 4, TEXT("0\n")), name);
  send(frame);
  response.finished = 1;
}

/* The flattened result<outgoing-response, error-code>: is_error, then the response's handle or the code's case. */
EXPORT("[static]response-outparam.set")
void outparam_set(handle param, int is_error, u32 response_or_code, u32 a, u64 b, u32 c, u32 d, u32 e, u32 f) {
  drop_outparam(param);
  if (!is_error) {
    send_head(response_of(response_or_code));
    drop_response(response_or_code);
  } else {
    send_error(response_or_code);
  }
  response.answered = 1;
}

EXPORT("[method]response-outparam.send-informational")
area *outparam_informational(u32 self, u32 status, handle headers) {
  fields_take(headers);
  out = (area){.byte[0] = 1, .byte[8] = INTERNAL_ERROR};
  return &out;
}

EXPORT("take-ending") int response_finish(void) {
  if (!response.answered) return UNANSWERED;
  if (response.bodied && !response.finished) return INCOMPLETE;
  return response.trailers && response.trailers->count ? COMPLETE_WITH_TRAILERS : COMPLETE;
}

EXPORT("take-trailers") area *response_trailers(void) {
  u32 size = fields_size(response.trailers) - 1;
  u8 *text = allocate(size + 1);
  put_fields(text, response.trailers);
  out.word[0] = (u32)text + 1;
  out.word[1] = size;
  return &out;
}
