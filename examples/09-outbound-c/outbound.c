/* A gateway: /harbour/… comes from an origin that app.yaml grants, /open-sea from one that it does not. */
#include "wasi_http_fetch.h"

#define GRANTED "localhost:9000"
#define NOT_GRANTED "example.com"

static void pass_on(answer out, reply got) {
    body to = start(out, got.status, with(headers(), "x-gateway", "wherry")), from = reply_body(got);
    for (text piece = read(from); piece.length; piece = read(from)) write(to, piece);
    close_reply(got, from);
    end(to);
}

static void refused(answer out, int error) {
    body to = start(out, 502, with(headers(), "content-type", "text/plain"));
    put(to, "refused: error-code ");
    put_number(to, (u64)error);
    put(to, " of wasi:http/types\n");
    end(to);
}

void serve(request in, answer out) {
    text path = path_of(in);
    int inside = starts_with(path, "/harbour/");
    reply got = fetch(HTTP, text_of(inside ? GRANTED : NOT_GRANTED), inside ? after(path, 8) : text_of("/"));
    if (got.status) pass_on(out, got);
    else refused(out, got.error);
}
