/* A GET request from inside a guest, beside wasi_http.h. */
#pragma once
#include "wasi_http.h"

enum scheme { HTTP, HTTPS };

/* status: 0 when there is no answer; then `error` is the number of the case of wasi:http/types.error-code. */
typedef struct { int status, error, response; } reply;

static inline reply fetch(enum scheme scheme, text authority, text path) {
    int request = outgoing_request_new(fields_new());
    outgoing_request_set_scheme(request, 1, scheme, 0, 0);
    outgoing_request_set_authority(request, 1, authority.at, authority.length);
    outgoing_request_set_path(request, 1, path.at, path.length);
    outgoing_handle(request, 0, 0, wasi_result);
    if (wasi_result[0]) return (reply){.error = wasi_result[8]};
    int future = (int)WASI_WORD(2);
    await(future_response_subscribe(future));
    future_response_get(future, wasi_result); /* option, result, result, then a handle or an error-code */
    reply got = {.error = wasi_result[24], .response = (int)WASI_WORD(6)};
    int failed = wasi_result[16];
    future_response_drop(future);
    if (!failed) got.error = 0, got.status = incoming_response_status(got.response);
    return got;
}

static inline body reply_body(reply got) {
    incoming_response_consume(got.response, wasi_result);
    body from = {.body = (int)WASI_WORD(1)};
    incoming_body_stream(from.body, wasi_result);
    from.stream = (int)WASI_WORD(1);
    return from;
}

static inline void close_reply(reply got, body from) {
    close_body(from);
    incoming_response_drop(got.response);
}
