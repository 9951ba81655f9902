/* Says hello with the path; a POST is echoed after it. */
#include "wasi_http.h"

void serve(request in, answer out) {
    body to = start(out, 200, with(with(headers(), "content-type", "text/plain"), "x-guest", "c"));
    put(to, "hello from c ");
    write(to, path_of(in));
    put(to, "\n");
    if (method_of(in) == POST) {
        body from = body_of(in);
        for (text piece = read(from); piece.length; piece = read(from)) write(to, piece);
        close_body(from);
    }
    end(to);
}
