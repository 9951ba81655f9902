/* GET /http://HOST/PATH: fetches that and passes the answer on; 502 with the number of the error-code when refused, 400
   for any other path. */
#include "wasi_http_fetch.h"

static void refused(answer out, int error) {
    body to = start(out, 502, with(headers(), "content-type", "text/plain"));
    put(to, "refused with error-code ");
    put_number(to, (u64)error);
    put(to, "\n");
    end(to);
}

static void not_understood(answer out) {
    body to = start(out, 400, with(headers(), "content-type", "text/plain"));
    put(to, "ask for /http://HOST/PATH\n");
    end(to);
}

static void pass_on(answer out, reply got) {
    body to = start(out, got.status, with(headers(), "content-type", "text/plain")), from = reply_body(got);
    for (text piece = read(from); piece.length; piece = read(from)) write(to, piece);
    close_reply(got, from);
    end(to);
}

void serve(request in, answer out) {
    text path = path_of(in);
    if (!starts_with(path, "/http://") && !starts_with(path, "/https://")) return not_understood(out);
    enum scheme scheme = starts_with(path, "/https://") ? HTTPS : HTTP;
    text rest = after(path, scheme == HTTPS ? 9 : 8);
    u32 slash = 0;
    while (slash < rest.length && rest.at[slash] != '/') slash++;
    reply got = fetch(scheme, (text){rest.at, slash}, after(rest, slash));
    if (got.status) pass_on(out, got);
    else refused(out, got.error);
}
