/* The adapter's memory and what lives in it. The heap is a module of its own, because a resource's destructor and the
   memory that host calls are lowered into must exist before the module that uses them. */
#ifndef HEAP_H
#define HEAP_H

#include "abi.h"

/* One field, laid out as an element of list<tuple<string, list<u8>>>: lists go in and out without a copy. */
typedef struct {
  string name, value;
} field;

typedef struct {
  u32 handles; /* and owners: the last one frees */
  u32 count, room;
  field *list;
  u8 immutable;
  string block; /* if it is not empty, names and values are slices of it and are freed with it */
} fields;

#ifndef HEAP_ITSELF
/* Sizes are the caller's to remember: blocks have no headers. A block of 0 bytes is never written and may be released. */
IMPORT("heap", "cabi_realloc") void *reallocate(void *old, u32 old_size, u32 align, u32 size);
IMPORT("heap", "release") void release(void *block, u32 size);
IMPORT("heap", "[dtor]fields") void fields_leave(fields *share);

static inline void *allocate(u32 size) { return reallocate(0, 0, 8, size); }
#endif

typedef struct {
  fields *headers;
  u8 consumed;
} incoming_request;

typedef struct {
  handle native; /* of an incoming response's body; NONE for the request's, which is stdin */
  u8 streamed;
} incoming_body;

typedef struct {
  handle native;
  u8 taken;
} future_trailers;

typedef struct {
  fields *headers;
  u32 serial;
  u16 status;
  enum { NO_BODY, BODY_ALIVE, BODY_GONE } body; /* a body may outlive its response and still want its head */
  u8 dropped; /* by the guest, and left to its body to free */
} outgoing_response;

typedef struct {
  handle native; /* of an outgoing request's body; NONE for the response's, which is stdout */
  outgoing_response *response;
  u8 written;
} outgoing_body;

typedef struct {
  fields *headers;
  string method, scheme, authority, path;
  string origin; /* as the native request was made for it */
  handle native; /* made when the guest asks for the body or sends it */
  u8 bodied;
} outgoing_request;

typedef struct {
  u64 timeout[3]; /* connect, first byte, between bytes: nanoseconds */
  u8 set[3];
} request_options;

typedef struct {
  handle native;
  u8 taken;
} future_response;

typedef struct {
  handle native;
  fields *headers;
  u16 status;
  u8 consumed;
} incoming_response;

#endif
