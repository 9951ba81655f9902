/* A guest's request to somebody else: what is kept of it until it is sent, or denied. */
#ifndef CLIENT_H
#define CLIENT_H

#include "bodies.h"
#include "codes.h"
#include "fields.h"
#include "host.h"

static inline string request_method_of(const outgoing_request *r) { return r->method.size ? r->method : TEXT("GET"); }

/* The native handle behind a request's body, or DENIED. */
handle request_body(outgoing_request *request);

#endif
