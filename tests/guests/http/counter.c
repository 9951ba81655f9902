/* Counts the requests that this instance has seen. /trap, /silent, /sleep and /spin then end badly; /body tells how many
 * bytes came, too. */
#include "wasi_http.h"

static u32 seen;

static u64 length_of_body(request in) {
    u64 total = 0;
    body from = body_of(in);
    for (text piece = read(from); piece.length; piece = read(from)) total += piece.length;
    close_body(from);
    return total;
}

void serve(request in, answer out) {
    text path = path_of(in);
    seen++;
    if (equal(path, "/trap")) __builtin_trap();
    if (equal(path, "/silent")) return;
    if (equal(path, "/sleep")) sleep_ms(60000);
    for (volatile int spins = equal(path, "/spin"); spins;) {}
    u64 length = equal(path, "/body") ? length_of_body(in) : 0;
    body to = start(out, 200, with(headers(), "content-type", "text/plain"));
    put_number(to, seen);
    put(to, " ");
    put_number(to, length);
    end(to);
}
