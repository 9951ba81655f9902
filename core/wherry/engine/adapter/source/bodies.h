/* Bodies and trailers, which come and go by three roads: the served request's by the host's stdin and stdout, those of
   a request to somebody else by the host's own wasi:http, and those of a denied request by none. */
#ifndef BODIES_H
#define BODIES_H

#include "fields.h"
#include "host.h"

handle incoming_body_handle(handle native);
handle outgoing_body_handle(handle native, outgoing_response *response);

#ifdef SERVES
handle request_stream(void);
fields *request_trailers(void);
area *response_stream(const outgoing_response *response);
area *response_finish(int some, handle trailers);
void response_reset(void);
#else
#define request_stream() DENIED
#define request_trailers() NONE
#define response_stream(response) error(0)
#define response_finish(some, trailers) denied_finish(some, trailers)
#endif

area *denied_finish(int some, handle trailers);

#ifdef OUTBOUND
handle native_stream(handle body);
handle native_finish_in(handle body);
handle native_subscribe(handle future);
area *native_trailers(future_trailers *future);
handle native_write(handle body);
area *native_finish_out(handle body, int some, handle trailers);
#else
#define native_stream(body) NONE
#define native_finish_in(body) NONE
#define native_subscribe(future) NONE
#define native_trailers(future) NONE
#define native_write(body) NONE
#define native_finish_out(body, some, trailers) NONE
#endif

#endif
