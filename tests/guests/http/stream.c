/* Bodies in motion. /drip: one line, then another after each line of the request body. /bytes/N: N bytes of body.
 * /count: how many bytes came. /trailers: the request's trailer `x-sum` back, as body and as trailer.
 * /header/NAME: that header's value. /sleep/MS: an answer after a while. /slow/MS: the head, then the body after a while. */
#include "wasi_http.h"

static fields plain(void) { return with(headers(), "content-type", "text/plain"); }

static void say(answer out, text said) {
    body to = start(out, 200, plain());
    write(to, said);
    put(to, "\n");
    end(to);
}

static void drip(request in, answer out) {
    body to = start(out, 200, plain()), from = body_of(in);
    put(to, "first\n");
    for (text piece = read(from); piece.length; piece = read(from)) write(to, piece);
    close_body(from);
    end(to);
}

static void bytes(answer out, u64 left) {
    static char piece[65536];
    body to = start(out, 200, with(headers(), "content-type", "application/octet-stream"));
    while (left) {
        u32 next = left < sizeof piece ? (u32)left : sizeof piece;
        if (!write(to, (text){piece, next})) break;
        left -= next;
    }
    end(to);
}

static void count(request in, answer out) {
    u64 total = 0;
    body from = body_of(in);
    for (text piece = read(from); piece.length; piece = read(from)) total += piece.length;
    close_body(from);
    body to = start(out, 200, plain());
    put_number(to, total);
    put(to, "\n");
    end(to);
}

static text trailer_of(body from, const char *name) {
    input_stream_drop(from.stream);
    int future = incoming_body_finish(from.body);
    await(future_trailers_subscribe(future));
    future_trailers_get(future, wasi_result); /* option, result, result, option, then the fields */
    int there = !wasi_result[16] && wasi_result[24];
    text value = {"none", 4};
    if (there) {
        fields all = (fields)WASI_WORD(7);
        fields_get(all, name, length_of(name), wasi_result);
        if (WASI_WORD(1)) value = *(text *)WASI_WORD(0);
        fields_drop(all);
    }
    future_trailers_drop(future);
    return value;
}

static void trailers(request in, answer out) {
    body from = body_of(in);
    while (read(from).length) {}
    text sum = trailer_of(from, "x-sum");
    body to = start(out, 200, with(plain(), "trailer", "x-sum"));
    write(to, sum);
    fields tail = fields_new();
    fields_append(tail, "x-sum", 5, sum.at, sum.length, wasi_result);
    end_with(to, 1, tail);
}

static void slow(answer out, u64 ms) {
    body to = start(out, 200, plain());
    sleep_ms(ms);
    put(to, "at last\n");
    end(to);
}

void serve(request in, answer out) {
    static char name[256];
    text path = path_of(in);
    if (equal(path, "/drip")) return drip(in, out);
    if (equal(path, "/count")) return count(in, out);
    if (equal(path, "/trailers")) return trailers(in, out);
    if (starts_with(path, "/bytes/")) return bytes(out, number_in(after(path, 7)));
    if (starts_with(path, "/slow/")) return slow(out, number_in(after(path, 6)));
    if (starts_with(path, "/sleep/")) sleep_ms(number_in(after(path, 7)));
    if (starts_with(path, "/header/") && path.length < sizeof name) {
        text wanted = after(path, 8);
        __builtin_memcpy(name, wanted.at, wanted.length);
        return say(out, header_of(in, name));
    }
    say(out, text_of("streamed"));
}
