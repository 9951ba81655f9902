/* wasi:http 0.2 for C, without a libc and without generated code.
 *
 * A guest writes `void serve(request, answer)`. It reads the request, calls `start` once, writes the body and calls `end`:
 *
 *     void serve(request in, answer out) {
 *         body to = start(out, 200, with(headers(), "content-type", "text/plain"));
 *         put(to, "hello\n");
 *         end(to);
 *     }
 *
 * Texts that come in live until the next `read`. */
#pragma once
#include "wasi_http_abi.h"

typedef int request;
typedef int answer;
typedef int fields;
typedef struct { const char *at; u32 length; } text;
typedef struct { int body, stream; } body;

enum method { GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH, OTHER };

static _Alignas(8) u8 wasi_result[64];
#define WASI_WORD(index) (((u32 *)wasi_result)[index])

/* -- memory: the host puts what it returns into an arena, emptied before each read ------------------------------- */

#ifndef ARENA
#define ARENA (160 * 1024)
#endif
static u8 arena[ARENA];
static u32 arena_used;

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t had, size_t align, size_t size) {
    arena_used = (arena_used + align - 1) & ~(align - 1);
    if (size > sizeof arena - arena_used) __builtin_trap();
    u8 *at = arena + arena_used;
    arena_used += size;
    if (old) __builtin_memcpy(at, old, had < size ? had : size);
    return at;
}

/* -- text --------------------------------------------------------------------------------------------------------- */

static inline u32 length_of(const char *s) {
    u32 n = 0;
    while (s[n]) n++;
    return n;
}

static inline text text_of(const char *s) { return (text){s, length_of(s)}; }

static inline int starts_with(text t, const char *prefix) {
    u32 n = length_of(prefix);
    if (t.length < n) return 0;
    for (u32 i = 0; i < n; i++)
        if (t.at[i] != prefix[i]) return 0;
    return 1;
}

static inline int equal(text t, const char *s) { return starts_with(t, s) && t.length == length_of(s); }

static inline text after(text t, u32 skipped) { return (text){t.at + skipped, t.length - skipped}; }

static inline u64 number_in(text t) {
    u64 n = 0;
    for (u32 i = 0; i < t.length && t.at[i] >= '0' && t.at[i] <= '9'; i++) n = n * 10 + (u64)(t.at[i] - '0');
    return n;
}

/* -- the request -------------------------------------------------------------------------------------------------- */

static inline enum method method_of(request in) { return request_method(in, wasi_result), wasi_result[0]; }

static inline text path_of(request in) {
    request_path(in, wasi_result);
    return wasi_result[0] ? (text){(const char *)WASI_WORD(1), WASI_WORD(2)} : text_of("/");
}

/* The first value of a header; length 0 when it is not there. */
static inline text header_of(request in, const char *name) {
    fields all = request_headers(in);
    fields_get(all, name, length_of(name), wasi_result);
    text *values = (text *)WASI_WORD(0);
    text first = WASI_WORD(1) ? values[0] : (text){"", 0};
    fields_drop(all);
    return first;
}

static inline body body_of(request in) {
    request_consume(in, wasi_result);
    body from = {.body = (int)WASI_WORD(1)};
    incoming_body_stream(from.body, wasi_result);
    from.stream = (int)WASI_WORD(1);
    return from;
}

/* The next piece of a body, of at most 64 KiB; length 0 at its end. */
static inline text read(body from) {
    arena_used = 0;
    do stream_read(from.stream, 65536, wasi_result);
    while (!wasi_result[0] && !WASI_WORD(2));
    return wasi_result[0] ? (text){"", 0} : (text){(const char *)WASI_WORD(1), WASI_WORD(2)};
}

static inline void close_body(body from) {
    input_stream_drop(from.stream);
    incoming_body_drop(from.body);
}

/* -- the answer --------------------------------------------------------------------------------------------------- */

static inline fields headers(void) { return fields_new(); }

static inline fields with(fields to, const char *name, const char *value) {
    fields_append(to, name, length_of(name), value, length_of(value), wasi_result);
    return to;
}

static inline body start(answer out, int status, fields head) {
    int response = response_new(head);
    response_set_status(response, status);
    response_body(response, wasi_result);
    body to = {.body = (int)WASI_WORD(1)};
    outgoing_body_write(to.body, wasi_result);
    to.stream = (int)WASI_WORD(1);
    outparam_set(out, 0, response, 0, 0, 0, 0, 0, 0);
    return to;
}

/* 0 when the client has gone. A stream takes 4096 bytes at a time. */
static inline int write(body to, text t) {
    for (u32 done = 0; done < t.length;) {
        u32 piece = t.length - done < 4096 ? t.length - done : 4096;
        stream_write(to.stream, t.at + done, piece, wasi_result);
        if (wasi_result[0]) return 0;
        done += piece;
    }
    return 1;
}

static inline int put(body to, const char *s) { return write(to, text_of(s)); }

static inline int put_number(body to, u64 n) {
    char digits[20];
    u32 at = sizeof digits;
    do digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    return write(to, (text){digits + at, sizeof digits - at});
}

static inline void end_with(body to, int has_trailers, fields trailers) {
    output_stream_drop(to.stream);
    outgoing_body_finish(to.body, has_trailers, trailers, wasi_result);
}

static inline void end(body to) { end_with(to, 0, 0); }

/* -- the world outside -------------------------------------------------------------------------------------------- */

static inline void await(int pollable) {
    pollable_block(pollable);
    pollable_drop(pollable);
}

static inline void sleep_ms(u64 milliseconds) { await(subscribe_duration(milliseconds * 1000000)); }

/* Write a text to the log. */
static inline void print(const char *s) {
    int out = get_stdout();
    stream_write(out, s, length_of(s), wasi_result);
    output_stream_drop(out);
}

void serve(request in, answer out);

__attribute__((export_name("wasi:http/incoming-handler@" WASI_VERSION "#handle"))) void incoming_handle(int in, int out) {
    arena_used = 0;
    serve(in, out);
}
