/* wasi:http/types, resources incoming-body, outgoing-body and future-trailers. */
#include "bodies.h"
#include "codes.h"

IMPORT("resource", "[resource-new]incoming-body") handle new_incoming_body(incoming_body *);
IMPORT("resource", "[resource-rep]incoming-body") incoming_body *incoming_body_of(handle);
IMPORT("resource", "[resource-drop]incoming-body") void drop_incoming_body(handle);
IMPORT("resource", "[resource-new]future-trailers") handle new_future_trailers(future_trailers *);
IMPORT("resource", "[resource-new]outgoing-body") handle new_outgoing_body(outgoing_body *);
IMPORT("resource", "[resource-rep]outgoing-body") outgoing_body *outgoing_body_of(handle);
IMPORT("resource", "[resource-drop]outgoing-body") void drop_outgoing_body(handle);

handle incoming_body_handle(handle native) {
  incoming_body *self = allocate(sizeof *self);
  *self = (incoming_body){.native = native};
  return new_incoming_body(self);
}

handle outgoing_body_handle(handle native, outgoing_response *response) {
  outgoing_body *self = allocate(sizeof *self);
  *self = (outgoing_body){.native = native, .response = response};
  return new_outgoing_body(self);
}

EXPORT("[method]incoming-body.stream") area *incoming_body_stream(incoming_body *self) {
  if (self->streamed) return error(0);
  self->streamed = 1;
  return ok(self->native ? native_stream(self->native) : request_stream());
}

EXPORT("[static]incoming-body.finish") handle incoming_body_finish(handle owned) {
  incoming_body *body = incoming_body_of(owned);
  future_trailers *future = allocate(sizeof *future);
  *future = (future_trailers){.native = body->native ? native_finish_in(body->native) : NONE};
  body->native = NONE;
  drop_incoming_body(owned);
  return new_future_trailers(future);
}

EXPORT("[method]future-trailers.subscribe") handle future_trailers_subscribe(const future_trailers *self) {
  return self->native ? native_subscribe(self->native) : subscribe_duration(0);
}

/* option<result<result<option<trailers>, error-code>>>: the cases lie at 0, 8, 16 and 24. */
EXPORT("[method]future-trailers.get") area *future_trailers_get(future_trailers *self) {
  if (self->native) return native_trailers(self);
  out = (area){.byte[0] = 1, .byte[8] = self->taken};
  if (self->taken) return &out;
  self->taken = 1;
  fields *trailers = request_trailers();
  out.byte[24] = trailers != NONE;
  if (trailers) out.word[7] = fields_handle(trailers);
  return &out;
}

EXPORT("[method]outgoing-body.write") area *outgoing_body_write(outgoing_body *self) {
  if (self->written || self->native == DENIED) return error(0);
  self->written = 1;
  return self->native ? ok(native_write(self->native)) : response_stream(self->response);
}

area *denied_finish(int some, handle trailers) {
  if (some) fields_drop(trailers);
  out = (area){.byte[0] = 1, .byte[8] = HTTP_REQUEST_DENIED};
  return &out;
}

EXPORT("[static]outgoing-body.finish") area *outgoing_body_finish(handle owned, int some, handle trailers) {
  outgoing_body *body = outgoing_body_of(owned);
  handle native = body->native;
  body->native = NONE;
  drop_outgoing_body(owned);
  if (native == DENIED) return denied_finish(some, trailers);
  return native ? native_finish_out(native, some, trailers) : response_finish(some, trailers);
}
