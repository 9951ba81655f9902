/* The response: writing its head, and wasi:http/types, resources outgoing-response and response-outparam. */
#include "bodies.h"
#include "codes.h"
#include "fields.h"
#include "host.h"

IMPORT("resource", "[resource-new]outgoing-response") handle new_response(outgoing_response *);
IMPORT("resource", "[resource-rep]outgoing-response") outgoing_response *response_of(handle);
IMPORT("resource", "[resource-drop]outgoing-response") void drop_response(handle);
IMPORT("resource", "[resource-new]response-outparam") handle new_outparam(u32);
IMPORT("resource", "[resource-drop]response-outparam") void drop_outparam(handle);

enum { COMPLETE, COMPLETE_WITH_TRAILERS, UNANSWERED, INCOMPLETE };

static struct {
  u32 sent; /* the serial number of the response whose head went to stdout, and its status there */
  u16 status;
  handle output;
  u8 answered, bodied, streamed, finished;
  fields *trailers;
} response;

void response_reset(void) {
  if (response.trailers) fields_leave(response.trailers);
  response = (typeof(response)){0};
}

EXPORT("take-outparam") handle response_prepare(void) { return new_outparam(1); }

EXPORT("[constructor]outgoing-response") handle response_new(handle headers) {
  static u32 serial;
  outgoing_response *self = allocate(sizeof *self);
  *self = (outgoing_response){.headers = fields_take(headers), .serial = ++serial, .status = 200};
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
  if (self->body != NO_BODY) return error(0);
  self->body = BODY_ALIVE;
  response.bodied = 1;
  return ok(outgoing_body_handle(NONE, self));
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

/* Four bytes for the length, then the head. */
static string framed_head(const outgoing_response *r) {
  string frame = {allocate(7 + fields_size(r->headers)), 7 + fields_size(r->headers)};
  copy(frame.at, &(u32){frame.size - 4}, 4);
  for (u32 i = 3, rest = r->status; i--; rest /= 10) frame.at[4 + i] = '0' + rest % 10;
  put_fields(frame.at + 7, r->headers);
  return frame;
}

static void write_frame(string frame) {
  response.output = get_stdout();
  write_all(response.output, frame);
}

static void send_head(const outgoing_response *r) {
  string frame = framed_head(r);
  write_frame(frame);
  release(frame.at, frame.size);
  response.sent = r->serial;
  response.status = r->status;
}

/* The guest may take the stream before it sets the response, and then write to it: the head must go first. */
area *response_stream(const outgoing_response *r) {
  if (response.streamed) return error(0);
  if (!response.sent) send_head(r);
  response.streamed = 1;
  return ok(response.output);
}

area *response_finish(int some, handle trailers) {
  response.finished = 1;
  if (some) response.trailers = fields_take(trailers);
  out.byte[0] = 0;
  return &out;
}

static void answer(const outgoing_response *r) {
  if (!response.sent) {
    send_head(r);
  } else if (response.sent != r->serial || response.status != r->status) {
    string frame = framed_head(r);
    host_respond(frame.at + 4, frame.size - 4);
  }
}

static void answer_error(u8 code) {
  string name = named(error_names[code]), frame = {allocate(6 + name.size), 6 + name.size};
  copy(frame.at, &(u32){2 + name.size}, 4);
  put(put(frame.at + 4, TEXT("0\n")), name);
  if (response.sent) host_respond(frame.at + 4, frame.size - 4);
  else write_frame(frame);
  response.finished = 1;
}

/* The flattened result<outgoing-response, error-code>: is_error, then the response's handle or the code's case. */
EXPORT("[static]response-outparam.set")
void outparam_set(handle param, int is_error, u32 response_or_code, u32 a, u64 b, u32 c, u32 d, u32 e, u32 f) {
  drop_outparam(param);
  response.answered = 1;
  if (is_error) {
    answer_error(response_or_code);
    return;
  }
  answer(response_of(response_or_code));
  drop_response(response_or_code);
}

EXPORT("[method]response-outparam.send-informational")
area *outparam_informational(u32 self, u32 status, handle headers) {
  fields_take(headers);
  out = (area){.byte[0] = 1, .byte[8] = INTERNAL_ERROR};
  return &out;
}

EXPORT("take-ending") int response_ending(void) {
  if (!response.answered) return UNANSWERED;
  if (response.bodied && !response.finished) return INCOMPLETE;
  return response.trailers && response.trailers->count ? COMPLETE_WITH_TRAILERS : COMPLETE;
}

/* Latin-1 strings of the canonical ABI lie at even addresses; the first line break goes before. */
EXPORT("take-trailers") area *response_trailers(void) {
  u32 size = fields_size(response.trailers) - 1;
  u8 *text = allocate(size + 2);
  put_fields(text + 1, response.trailers);
  out.word[0] = (u32)text + 2;
  out.word[1] = size;
  return &out;
}
