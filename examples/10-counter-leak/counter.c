/* Tries three ways to remember a request: a variable, a constant overwritten in place, and memory grown by a page.
 * Each request has an instance of its own, so each request is the first. */
#include "wasi_http.h"

static u32 seen;
static char visitor[16] = "nobody";

static void note(text name) {
    u32 n = name.length < sizeof visitor - 1 ? name.length : sizeof visitor - 1;
    __builtin_memcpy(visitor, name.at, n);
    visitor[n] = 0;
}

void serve(request in, answer out) {
    body to = start(out, 200, with(headers(), "content-type", "text/plain"));
    put(to, "request ");
    put_number(to, ++seen);
    put(to, ", the last visitor was ");
    put(to, visitor);
    put(to, ", pages of memory ");
    put_number(to, __builtin_wasm_memory_size(0));
    put(to, "\n");
    end(to);
    note(after(path_of(in), 1));
    __builtin_wasm_memory_grow(0, 1);
}
