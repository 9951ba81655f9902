/* Memory in size classes, and the destructors of the adapter's resources. */
#define HEAP_ITSELF
#include "heap.h"

#define SMALLEST 3 /* 8 bytes */
#define CLASSES 29
#define PAGE 65536u

typedef struct free_block {
  struct free_block *next;
} free_block;

extern u8 __heap_base;
static free_block *free_blocks[CLASSES];
static u32 top, limit;

static u32 class_of(u32 size) {
  return size <= 8 ? SMALLEST : 32 - __builtin_clz(size - 1);
}

static void grow(u32 need) {
  u32 pages = (need + PAGE - 1) / PAGE;
  if (__builtin_wasm_memory_grow(0, pages) == (u32)-1) __builtin_trap();
  limit += pages * PAGE;
}

static void *fresh(u32 size) {
  if (!top) {
    top = HEAP_START;
    limit = __builtin_wasm_memory_size(0) * PAGE;
  }
  if (size > limit - top) grow(size - (limit - top));
  void *block = (void *)top;
  top += size;
  return block;
}

static void *allocated(u32 size) {
  u32 class = class_of(size);
  if (class >= CLASSES) __builtin_trap();
  free_block *block = free_blocks[class];
  if (!block) return fresh(1u << class);
  free_blocks[class] = block->next;
  return block;
}

EXPORT("release") void release_block(void *block, u32 size) {
  if (!size) return;
  free_block *freed = block;
  freed->next = free_blocks[class_of(size)];
  free_blocks[class_of(size)] = freed;
}

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size) {
  if (!size) return (void *)align;
  if (old_size && class_of(old_size) == class_of(size)) return old;
  void *block = allocated(size);
  if (!old_size) return block;
  copy(block, old, old_size < size ? old_size : size);
  release_block(old, old_size);
  return block;
}

static void drop_fields(fields *f) {
  if (--f->handles) return;
  for (u32 i = 0; i < f->count && !f->block.size; i++) {
    release_block(f->list[i].name.at, f->list[i].name.size);
    release_block(f->list[i].value.at, f->list[i].value.size);
  }
  release_block(f->block.at, f->block.size);
  release_block(f->list, f->room * sizeof(field));
  release_block(f, sizeof *f);
}

#ifdef OUTBOUND
#define DROP(c_name, wit_name) IMPORT("wasi:http/types", "[resource-drop]" wit_name) void c_name(handle);
DROP(drop_native_request, "outgoing-request")
DROP(drop_native_response, "incoming-response")
DROP(drop_native_future, "future-incoming-response")
DROP(drop_native_trailers, "future-trailers")
DROP(drop_native_body_in, "incoming-body")
DROP(drop_native_body_out, "outgoing-body")
#define DROP_NATIVE(drop, native) \
  if (native) drop(native)
#else
#define DROP_NATIVE(drop, native)
#endif

#define DESTRUCTOR(type, wit_name) EXPORT("[dtor]" wit_name) void dtor_##type(type *self)

DESTRUCTOR(fields, "fields") { drop_fields(self); }

DESTRUCTOR(incoming_request, "incoming-request") {
  drop_fields(self->headers);
  release_block(self, sizeof *self);
}

DESTRUCTOR(incoming_body, "incoming-body") {
  DROP_NATIVE(drop_native_body_in, self->native);
  release_block(self, sizeof *self);
}

DESTRUCTOR(future_trailers, "future-trailers") {
  DROP_NATIVE(drop_native_trailers, self->native);
  release_block(self, sizeof *self);
}

static void free_response(outgoing_response *self) {
  drop_fields(self->headers);
  release_block(self, sizeof *self);
}

static void leave_response(outgoing_response *response) {
  response->body = BODY_GONE;
  if (response->dropped) free_response(response);
}

DESTRUCTOR(outgoing_response, "outgoing-response") {
  self->dropped = 1;
  if (self->body != BODY_ALIVE) free_response(self);
}

DESTRUCTOR(outgoing_body, "outgoing-body") {
  DROP_NATIVE(drop_native_body_out, self->native);
  if (self->response) leave_response(self->response);
  release_block(self, sizeof *self);
}

DESTRUCTOR(outgoing_request, "outgoing-request") {
  DROP_NATIVE(drop_native_request, self->native);
  drop_fields(self->headers);
  release_block(self->method.at, self->method.size);
  release_block(self->scheme.at, self->scheme.size);
  release_block(self->authority.at, self->authority.size);
  release_block(self->path.at, self->path.size);
  release_block(self->origin.at, self->origin.size);
  release_block(self, sizeof *self);
}

DESTRUCTOR(request_options, "request-options") { release_block(self, sizeof *self); }

DESTRUCTOR(future_response, "future-incoming-response") {
  DROP_NATIVE(drop_native_future, self->native);
  release_block(self, sizeof *self);
}

DESTRUCTOR(incoming_response, "incoming-response") {
  DROP_NATIVE(drop_native_response, self->native);
  drop_fields(self->headers);
  release_block(self, sizeof *self);
}
