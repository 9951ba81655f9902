/* One way to misbehave for each path; any other path is answered well. */
#include "wasi_http.h"

static volatile int sink;
static volatile int zero;
static void (*volatile nowhere)(void);

__attribute__((noinline)) static int deeper(int n) {
    sink = n;
    int below = n < sink + 1 ? deeper(n + 1) : 0;
    sink = below;
    return below + n;
}

static void answer_text(answer out, const char *said) {
    body to = start(out, 200, with(headers(), "content-type", "text/plain"));
    put(to, said);
    end(to);
}

static void grow(answer out) {
    u64 mib = 0;
    while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1) mib++;
    body to = start(out, 200, headers());
    put(to, "memory refused after ");
    put_number(to, mib);
    put(to, " MiB\n");
    end(to);
}

static void flood(answer out) {
    static char piece[4096];
    body to = start(out, 200, headers());
    while (write(to, (text){piece, sizeof piece})) sink++;
    end(to);
}

static void trap_after_the_head(answer out) {
    put(start(out, 200, headers()), "this is cut short");
    __builtin_trap();
}

void serve(request in, answer out) {
    text path = path_of(in);
    if (equal(path, "/loop")) for (;;) sink++;
    if (equal(path, "/sleep")) sleep_ms(3600 * 1000);
    if (equal(path, "/recurse")) deeper(0);
    if (equal(path, "/flood-log")) for (;;) print("a line that nobody asked for\n");
    if (equal(path, "/unreachable")) __builtin_trap();
    if (equal(path, "/out-of-bounds")) sink = *(volatile int *)0xfffffff0u;
    if (equal(path, "/divide")) sink = 7 / zero;
    if (equal(path, "/null-call")) nowhere();
    if (equal(path, "/silent")) return;
    if (equal(path, "/cut-short")) trap_after_the_head(out);
    if (equal(path, "/grow")) return grow(out);
    if (equal(path, "/flood")) return flood(out);
    answer_text(out, "well behaved\n");
}
