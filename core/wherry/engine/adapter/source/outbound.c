/* wasi:http/outgoing-handler by way of the worker's egress proxy: every request goes there in the clear, with the secret
   and the origin that the guest asked for, and streams are the host's own. ../README.md has the proxy's side of it. */
#include "client.h"
#include "native.h"

IMPORT("resource", "[resource-rep]outgoing-request") outgoing_request *request_of(handle);
IMPORT("resource", "[resource-drop]outgoing-request") void drop_request(handle);
IMPORT("resource", "[resource-rep]request-options") request_options *options_of(handle);
IMPORT("resource", "[resource-drop]request-options") void drop_options(handle);
IMPORT("resource", "[resource-new]future-incoming-response") handle new_future(future_response *);
IMPORT("resource", "[resource-new]incoming-response") handle new_response_in(incoming_response *);

area got;

#define PREFIX TEXT("wherry-egress-")
#define MILLISECOND 1000000ull

static struct {
  string port, secret;
  u64 left; /* nanoseconds, 0 for no limit */
} egress;

static u64 number(string digits) {
  u64 value = 0;
  for (u32 i = 0; i < digits.size; i++) value = value * 10 + digits.at[i] - '0';
  return value;
}

static void ask_egress(void) {
  string text;
  host_egress(&text);
  egress.port = next_line(&text);
  egress.secret = next_line(&text);
  egress.left = number(next_line(&text)) * MILLISECOND;
}

static string joined(string a, string b, string c) {
  string s = {allocate(a.size + b.size + c.size), a.size + b.size + c.size};
  copy(s.at, a.at, a.size);
  copy(s.at + a.size, b.at, b.size);
  copy(s.at + a.size + b.size, c.at, c.size);
  return s;
}

static string origin_of(const outgoing_request *r) {
  return joined(r->scheme.size ? r->scheme : TEXT("https"), TEXT("://"), r->authority);
}

static int is_ours(string name) {
  return name.size > PREFIX.size && same((string){name.at, PREFIX.size}, PREFIX);
}

/* The guest's fields and ours, as a native resource. */
static handle native_headers(const outgoing_request *r) {
  u32 size = (r->headers->count + 2) * sizeof(field), count = 0;
  field *list = allocate(size);
  for (u32 i = 0; i < r->headers->count; i++)
    if (!is_ours(r->headers->list[i].name)) list[count++] = r->headers->list[i];
  list[count++] = (field){TEXT("wherry-egress-secret"), egress.secret};
  list[count++] = (field){TEXT("wherry-egress-origin"), r->origin};
  native_fields_from_list(list, count, &got);
  release(list, size);
  return got.byte[0] ? native_fields_new() : (handle)got.word[1];
}

static void make_native(outgoing_request *r) {
  if (r->native) return;
  ask_egress();
  string proxy = joined(TEXT("127.0.0.1:"), egress.port, TEXT(""));
  r->origin = origin_of(r);
  r->native = native_request_new(native_headers(r));
  native_set_scheme(r->native, 1, SCHEME_HTTP, 0, 0);
  native_set_authority(r->native, 1, proxy.at, proxy.size);
  release(proxy.at, proxy.size);
}

handle request_body(outgoing_request *r) {
  make_native(r);
  native_request_body(r->native, &got);
  return got.word[1];
}

static u64 earlier(const request_options *options, u32 which) {
  u64 asked = options && options->set[which] ? options->timeout[which] : 0;
  return asked && (!egress.left || asked < egress.left) ? asked : egress.left;
}

/* No wait may last longer than the guest itself may: an epoch deadline does not end a host call. */
static handle native_options(const request_options *options) {
  handle native = native_options_new();
  u64 connect = earlier(options, 0), first = earlier(options, 1), between = earlier(options, 2);
  native_set_connect(native, connect != 0, connect);
  native_set_first(native, first != 0, first);
  native_set_between(native, between != 0, between);
  return native;
}

static area *failed(u8 code) {
  out = (area){.byte[0] = 1, .byte[8] = code};
  return &out;
}

static area *send(outgoing_request *r, const request_options *options) {
  string method = request_method_of(r), origin = origin_of(r);
  make_native(r);
  int moved = !same(origin, r->origin);
  release(origin.at, origin.size);
  if (moved) return failed(HTTP_REQUEST_URI_INVALID);
  native_set_method(r->native, method_case(method), method.at, method.size);
  native_set_path(r->native, r->path.size != 0, r->path.at, r->path.size);
  native_handle(r->native, 1, native_options(options), &out);
  r->native = NONE;
  if (out.byte[0]) return &out;
  future_response *future = allocate(sizeof *future);
  *future = (future_response){.native = out.word[2]};
  out.word[2] = new_future(future);
  return &out;
}

EXPORT("handle") area *handle_outbound(handle owned, int some, handle options) {
  area *sent = send(request_of(owned), some ? options_of(options) : NONE);
  drop_request(owned);
  if (some) drop_options(options);
  return sent;
}

EXPORT("[method]future-incoming-response.subscribe") handle future_subscribe(const future_response *self) {
  return native_future_subscribe(self->native);
}

static fields *native_entries(handle native) {
  native_fields_entries(native, &got);
  native_fields_drop(native);
  fields *f = fields_make(0);
  f->list = (field *)got.word[0];
  f->count = f->room = got.word[1];
  f->immutable = 1;
  return f;
}

/* The proxy's own failure, as a case number; ERROR_CODES when the response is the origin's. */
static u8 proxy_error(const fields *headers) {
  for (u32 i = 0; i < headers->count; i++) {
    if (!same(headers->list[i].name, TEXT("wherry-egress-error"))) continue;
    for (u8 code = 0; code < ERROR_CODES; code++)
      if (same(headers->list[i].value, named(error_names[code]))) return code;
    return INTERNAL_ERROR;
  }
  return ERROR_CODES;
}

static handle response_handle(handle native, fields *headers) {
  incoming_response *self = allocate(sizeof *self);
  *self = (incoming_response){.native = native, .headers = headers, .status = native_status(native)};
  return new_response_in(self);
}

/* option<result<result<incoming-response, error-code>>>: the cases lie at 0, 8 and 16, what they hold at 24. */
EXPORT("[method]future-incoming-response.get") area *future_get(future_response *self) {
  native_future_get(self->native, &out);
  if (!out.byte[0] || out.byte[8] || out.byte[16]) return &out;
  handle native = out.word[6];
  fields *headers = native_entries(native_response_headers(native));
  u8 code = proxy_error(headers);
  if (code == ERROR_CODES) {
    out.word[6] = response_handle(native, headers);
    return &out;
  }
  native_response_drop(native);
  out = (area){.byte[0] = 1, .byte[16] = 1, .byte[24] = code};
  return &out;
}

EXPORT("[method]incoming-response.status") int response_in_status(const incoming_response *self) {
  return self->status;
}

EXPORT("[method]incoming-response.headers") handle response_in_headers(const incoming_response *self) {
  return fields_handle(fields_share(self->headers));
}

EXPORT("[method]incoming-response.consume") area *response_in_consume(incoming_response *self) {
  native_response_consume(self->native, &got);
  return got.byte[0] ? error(0) : ok(incoming_body_handle(got.word[1]));
}

handle native_stream(handle body) {
  native_body_stream(body, &got);
  return got.word[1];
}

handle native_finish_in(handle body) { return native_body_in_finish(body); }

handle native_subscribe(handle future) { return native_trailers_subscribe(future); }

area *native_trailers(future_trailers *self) {
  native_trailers_get(self->native, &out);
  if (!out.byte[0] || out.byte[8] || out.byte[16] || !out.byte[24]) return &out;
  handle trailers = out.word[7];
  fields *f = native_entries(trailers);
  out.word[7] = fields_handle(f);
  return &out;
}

handle native_write(handle body) {
  native_body_write(body, &got);
  return got.word[1];
}

area *native_finish_out(handle body, int some, handle trailers) {
  fields *f = some ? fields_take(trailers) : NONE;
  if (f) native_fields_from_list(f->list, f->count, &got);
  native_body_out_finish(body, some, f ? (handle)got.word[1] : NONE, &out);
  return &out;
}

EXPORT("http-error-code") area *http_error_code(handle stream_error) {
  native_error_code(stream_error, &out);
  native_error_drop(stream_error);
  return &out;
}
