/* What every file of the adapter shares: names of imports and exports, strings, the area that results are returned in.

   Flat signatures and memory layouts follow the canonical ABI (component model, CanonicalABI.md). A borrowed handle of a
   resource that the adapter itself defines arrives as its representation: a pointer. An owned one arrives as a handle. */
#ifndef ABI_H
#define ABI_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int handle;

#define IMPORT(module, name) extern __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))
#define NONE 0
#define DENIED (-1) /* in the place of a native handle: the guest may not use what it stands for */

typedef struct {
  u8 *at;
  u32 size;
} string;

/* The C ABI passes a structure by address, the canonical ABI flattens it. */
#define FLAT(s) u8 *s##_at, u32 s##_size
#define UNFLAT(s) ((string){s##_at, s##_size})

/* Results that do not fit one flat value are returned here; the caller copies them out before it calls again. */
typedef union {
  u8 byte[56];
  u32 word[14];
  u64 wide[7];
} area;
extern area out;

static inline area *ok(u32 value) {
  out.word[0] = 0;
  out.word[1] = value;
  return &out;
}

static inline area *error(u8 code) {
  out.byte[0] = 1;
  out.byte[1] = code;
  return &out;
}

static inline void copy(void *to, const void *from, u32 size) { __builtin_memcpy(to, from, size); }

#endif
