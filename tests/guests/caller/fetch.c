/* A command that GETs http://ARGUMENT/ and succeeds if the answer is 200. */
#include "wasi_http_fetch.h"

__attribute__((import_module("wasi:cli/environment@" WASI_VERSION), import_name("get-arguments"))) void get_arguments(
    void *result);

void serve(request in, answer out) {}

__attribute__((export_name("wasi:cli/run@" WASI_VERSION "#run"))) int run_command(void) {
    get_arguments(wasi_result);
    const text *arguments = (const text *)WASI_WORD(0);
    if (WASI_WORD(1) < 2) return 1;
    reply got = fetch(HTTP, arguments[1], text_of("/"));
    return got.status != 200;
}
