/* Every function of wasi:http/types that a handler may call, one path for each group: what came of it is the body. */
#include "wasi_http.h"

WASI(TYPES, "[static]fields.from-list") void fields_from_list(const void *, u32, void *);
WASI(TYPES, "[method]fields.has") int fields_has(int, const char *, u32);
WASI(TYPES, "[method]fields.set") void fields_set(int, const char *, u32, const void *, u32, void *);
WASI(TYPES, "[method]fields.delete") void fields_delete(int, const char *, u32, void *);
WASI(TYPES, "[method]fields.entries") void fields_entries(int, void *);
WASI(TYPES, "[method]fields.clone") int fields_clone(int);
WASI(TYPES, "[method]incoming-request.scheme") void request_scheme(int, void *);
WASI(TYPES, "[method]incoming-request.authority") void request_authority(int, void *);
WASI(TYPES, "[resource-drop]incoming-request") void request_drop(int);
WASI(TYPES, "[resource-drop]outgoing-body") void outgoing_body_drop(int);
WASI(TYPES, "[resource-drop]outgoing-response") void response_drop(int);
WASI(TYPES, "[method]outgoing-response.status-code") int response_status(int);
WASI(TYPES, "[method]outgoing-response.headers") int response_headers(int);
WASI(TYPES, "[method]outgoing-request.body") void outgoing_request_body(int, void *);
WASI(TYPES, "[method]outgoing-request.headers") int outgoing_request_headers(int);
WASI(TYPES, "[method]outgoing-request.method") void outgoing_request_method(int, void *);
WASI(TYPES, "[method]outgoing-request.set-method") int outgoing_request_set_method(int, int, const char *, u32);
WASI(TYPES, "[method]outgoing-request.scheme") void outgoing_request_scheme(int, void *);
WASI(TYPES, "[method]outgoing-request.path-with-query") void outgoing_request_path(int, void *);
WASI(TYPES, "[method]outgoing-request.authority") void outgoing_request_authority(int, void *);
WASI(TYPES, "[method]incoming-response.headers") int incoming_response_headers(int);
WASI(TYPES, "[constructor]request-options") int options_new(void);
WASI(TYPES, "[method]request-options.connect-timeout") void options_connect(int, void *);
WASI(TYPES, "[method]request-options.set-connect-timeout") int options_set_connect(int, int, u64);
WASI(TYPES, "[method]request-options.first-byte-timeout") void options_first(int, void *);
WASI(TYPES, "[method]request-options.set-first-byte-timeout") int options_set_first(int, int, u64);
WASI(TYPES, "[method]request-options.between-bytes-timeout") void options_between(int, void *);
WASI(TYPES, "[method]request-options.set-between-bytes-timeout") int options_set_between(int, int, u64);
WASI("wasi:io/poll", "poll") void poll_list(const int *, u32, void *);
WASI("wasi:io/poll", "[method]pollable.ready") int pollable_ready(int);

static char report[16384];
static u32 reported;

static void say_text(text t) {
    for (u32 i = 0; i < t.length && reported < sizeof report; i++) report[reported++] = t.at[i];
}

static void say(const char *s) { say_text(text_of(s)); }

static void say_number(u64 n) {
    char digits[20];
    u32 at = sizeof digits;
    do digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    say_text((text){digits + at, sizeof digits - at});
}

/* `what: ok`, or the case of the error */
static void say_result(const char *what) {
    say(what);
    if (wasi_result[0]) say(": error "), say_number(wasi_result[1]);
    else say(": ok");
    say("\n");
}

static void say_flag(const char *what, u64 value) { say(what), say(": "), say_number(value), say("\n"); }

static void say_optional_string(const char *what) {
    say(what), say(": ");
    if (wasi_result[0]) say_text((text){(const char *)WASI_WORD(1), WASI_WORD(2)});
    else say("none");
    say("\n");
}

typedef struct { text name, value; } entry;

static void say_entries(fields f) {
    fields_entries(f, wasi_result);
    entry *list = (entry *)WASI_WORD(0);
    for (u32 i = 0, n = WASI_WORD(1); i < n; i++) say("  "), say_text(list[i].name), say(" = "), say_text(list[i].value), say("\n");
}

static void append(fields f, const char *name, const char *value) {
    fields_append(f, name, length_of(name), value, length_of(value), wasi_result);
    say("append "), say(name), say_result("");
}

static void set(fields f, const char *name, text *values, u32 count) {
    fields_set(f, name, length_of(name), values, count, wasi_result);
    say("set "), say(name), say_result("");
}

static void delete(fields f, const char *name) {
    fields_delete(f, name, length_of(name), wasi_result);
    say("delete "), say(name), say_result("");
}

static void get(fields f, const char *name) {
    fields_get(f, name, length_of(name), wasi_result);
    text *values = (text *)WASI_WORD(0);
    say("get "), say(name), say(":");
    for (u32 i = 0, n = WASI_WORD(1); i < n; i++) say(" "), say_text(values[i]);
    say("\n");
}

static void from_list(const char *what, const char *name, const char *value) {
    entry list[] = {{text_of("x-first"), text_of("1")}, {text_of(name), text_of(value)}};
    fields_from_list(list, 2, wasi_result);
    say(what);
    if (wasi_result[0]) say(": error "), say_number(wasi_result[4]), say("\n");
    else say("\n"), say_entries((int)WASI_WORD(1));
}

static void about_fields(void) {
    text two[] = {text_of("one"), text_of("two")}, bad[] = {text_of("fine"), text_of("not\nfine")};
    fields f = fields_new();
    append(f, "X-Name", "a"), append(f, "y", ""), append(f, "x-name", "b"), append(f, "tab", "a\tb");
    append(f, "", "v"), append(f, "white space", "v"), append(f, "x-nul", "a\x01"), append(f, "latin", "caf\xe9");
    append(f, "Connection", "close"), append(f, "HOST", "h"), append(f, "keep-alive", "1"), append(f, "upgrade", "1");
    append(f, "transfer-encoding", "chunked"), append(f, "http2-settings", "1"), append(f, "proxy-connection", "1");
    append(f, "proxy-authorization", "1"), append(f, "proxy-authenticate", "1"), append(f, "te", "1"), append(f, "cookie", "c");
    say_entries(f);
    say_flag("has X-NAME", fields_has(f, "X-NAME", 6)), say_flag("has z", fields_has(f, "z", 1)), say_flag("has bad", fields_has(f, "a b", 3));
    get(f, "x-NAME"), get(f, "z"), get(f, "a b");
    set(f, "x-name", two, 2), set(f, "x-name", bad, 2), set(f, "z", two, 1), set(f, "y", 0, 0), set(f, "host", two, 1), set(f, "a b", two, 1);
    fields twin = fields_clone(f);
    delete(f, "X-Name"), delete(f, "gone"), delete(f, "a b"), delete(f, "host");
    append(twin, "twin", "1");
    say("original\n"), say_entries(f), say("clone\n"), say_entries(twin);
    from_list("from-list", "X-FIRST", "2"), from_list("bad name", "a b", "1"), from_list("bad value", "a", "\n"), from_list("forbidden", "host", "1");
}

static void about_request(request in) {
    request_method(in, wasi_result), say_flag("method", wasi_result[0]);
    if (wasi_result[0] == OTHER) say_text((text){(const char *)WASI_WORD(1), WASI_WORD(2)}), say("\n");
    request_path(in, wasi_result), say_optional_string("path");
    request_scheme(in, wasi_result), say_flag("scheme", wasi_result[0]), say_flag("scheme case", wasi_result[4]);
    request_authority(in, wasi_result), say_flag("authority", wasi_result[0]);
    fields head = request_headers(in);
    get(head, "x-test"), get(head, "host"), get(head, "connection");
    append(head, "x", "1"), delete(head, "x-test"), append(head, "a b", "1");
    fields twin = fields_clone(head);
    append(twin, "x", "1");
    fields_drop(head);
}

static void about_body(request in) {
    request_consume(in, wasi_result), say_flag("consume", wasi_result[0]);
    int from = (int)WASI_WORD(1);
    request_consume(in, wasi_result), say_flag("consume again", wasi_result[0]);
    incoming_body_stream(from, wasi_result), say_flag("stream", wasi_result[0]);
    body all = {.body = from, .stream = (int)WASI_WORD(1)};
    incoming_body_stream(from, wasi_result), say_flag("stream again", wasi_result[0]);
    for (text piece = read(all); piece.length; piece = read(all)) say_text(piece);
}

static void about_trailers(request in) {
    body from = body_of(in);
    for (text piece = read(from); piece.length; piece = read(from)) say_text(piece);
    say("\n");
    input_stream_drop(from.stream);
    int future = incoming_body_finish(from.body), pollable = future_trailers_subscribe(future);
    await(pollable);
    future_trailers_get(future, wasi_result);
    say_flag("ready", wasi_result[0]), say_flag("failed", wasi_result[8] | wasi_result[16]), say_flag("trailers", wasi_result[24]);
    if (wasi_result[24]) {
        fields trailers = (int)WASI_WORD(7);
        say_entries(trailers), append(trailers, "x", "1"), fields_drop(trailers);
    }
    future_trailers_get(future, wasi_result);
    say_flag("again ready", wasi_result[0]), say_flag("again failed", wasi_result[8]);
    future_trailers_drop(future);
}

static void about_response(void) {
    int response = response_new(with(fields_new(), "x", "1"));
    say_flag("status", response_status(response));
    say_flag("set 99", response_set_status(response, 99)), say_flag("set 1000", response_set_status(response, 1000));
    say_flag("set 999", response_set_status(response, 999)), say_flag("set 100", response_set_status(response, 100));
    say_flag("status", response_status(response));
    fields head = response_headers(response);
    append(head, "y", "1"), say_entries(head), fields_drop(head);
    response_body(response, wasi_result), say_flag("body", wasi_result[0]);
    outgoing_body_drop((int)WASI_WORD(1));
    response_body(response, wasi_result), say_flag("body again", wasi_result[0]);
    response_drop(response);
}

static void say_timeout(const char *what) {
    say(what), say(": ");
    if (wasi_result[0]) say_number(*(u64 *)(wasi_result + 8));
    else say("none");
    say("\n");
}

static void about_options(void) {
    int options = options_new();
    options_connect(options, wasi_result), say_timeout("connect");
    options_set_connect(options, 1, 5), options_set_first(options, 1, 6), options_set_between(options, 1, 7);
    options_connect(options, wasi_result), say_timeout("connect"), options_first(options, wasi_result), say_timeout("first byte");
    options_set_first(options, 0, 0), options_first(options, wasi_result), say_timeout("first byte");
    options_between(options, wasi_result), say_timeout("between bytes");
}

static void about_client(void) {
    int request = outgoing_request_new(with(fields_new(), "x", "1"));
    outgoing_request_method(request, wasi_result), say_flag("method", wasi_result[0]);
    say_flag("set POST", outgoing_request_set_method(request, POST, 0, 0)), say_flag("set BREW", outgoing_request_set_method(request, OTHER, "BREW", 4));
    say_flag("set bad", outgoing_request_set_method(request, OTHER, "a b", 3));
    outgoing_request_method(request, wasi_result), say_flag("method", wasi_result[0]);
    outgoing_request_path(request, wasi_result), say_optional_string("path");
    say_flag("set path", outgoing_request_set_path(request, 1, "/p?q", 4)), say_flag("set bad path", outgoing_request_set_path(request, 1, "/a b", 4));
    outgoing_request_path(request, wasi_result), say_optional_string("path");
    outgoing_request_scheme(request, wasi_result), say_flag("scheme", wasi_result[0]);
    say_flag("set scheme", outgoing_request_set_scheme(request, 1, 1, 0, 0));
    outgoing_request_scheme(request, wasi_result), say_flag("scheme", wasi_result[0]), say_flag("case", wasi_result[4]);
    outgoing_request_authority(request, wasi_result), say_optional_string("authority");
    say_flag("set authority", outgoing_request_set_authority(request, 1, "host.test:81", 12)), say_flag("set bad", outgoing_request_set_authority(request, 1, "a b", 3));
    outgoing_request_authority(request, wasi_result), say_optional_string("authority");
    fields head = outgoing_request_headers(request);
    append(head, "y", "1"), say_entries(head), fields_drop(head);
    outgoing_request_body(request, wasi_result), say_flag("body", wasi_result[0]);
    outgoing_body_drop((int)WASI_WORD(1));
    outgoing_request_body(request, wasi_result), say_flag("body again", wasi_result[0]);
}

static void about_denial(void) {
    int request = outgoing_request_new(fields_new());
    outgoing_request_set_scheme(request, 1, 1, 0, 0), outgoing_request_set_authority(request, 1, "host.test:81", 12);
    outgoing_handle(request, 1, options_new(), wasi_result);
    say_flag("failed", wasi_result[0]), say_flag("code", wasi_result[8]);
}

static int post_to(text authority, int *to) {
    int request = outgoing_request_new(with(with(fields_new(), "wherry-egress-secret", "guessed"), "x-mine", "1"));
    outgoing_request_set_method(request, POST, 0, 0), outgoing_request_set_scheme(request, 1, 0, 0, 0);
    outgoing_request_set_authority(request, 1, authority.at, authority.length);
    outgoing_request_set_path(request, 1, "/post", 5);
    outgoing_request_body(request, wasi_result);
    *to = (int)WASI_WORD(1);
    return request;
}

static void send_payload(int to) {
    outgoing_body_write(to, wasi_result);
    body sent = {.body = to, .stream = (int)WASI_WORD(1)};
    put(sent, "payload"), end(sent);
    say_flag("finish", wasi_result[0]);
}

static void say_reply(int future) {
    await(future_response_subscribe(future));
    future_response_get(future, wasi_result);
    say_flag("ready", wasi_result[0]), say_flag("failed", wasi_result[8] | wasi_result[16]);
    if (wasi_result[16]) return say_flag("code", wasi_result[24]);
    int response = (int)WASI_WORD(6);
    say_flag("status", incoming_response_status(response));
    fields head = incoming_response_headers(response);
    get(head, "x-origin"), append(head, "x", "1"), fields_drop(head);
    future_response_get(future, wasi_result), say_flag("again failed", wasi_result[8]);
    incoming_response_consume(response, wasi_result);
    body from = {.body = (int)WASI_WORD(1)};
    incoming_response_consume(response, wasi_result), say_flag("consume again", wasi_result[0]);
    incoming_body_stream(from.body, wasi_result), from.stream = (int)WASI_WORD(1);
    for (text piece = read(from); piece.length; piece = read(from)) say_text(piece);
}

static void about_call(text authority) {
    int to, request = post_to(authority, &to), options = options_new();
    options_set_first(options, 1, 30000000000ull);
    outgoing_handle(request, 1, options, wasi_result);
    if (wasi_result[0]) return say_flag("code", wasi_result[8]);
    int future = (int)WASI_WORD(2);
    send_payload(to), say_reply(future);
}

static void about_moved(text authority) {
    int to, request = post_to(authority, &to);
    outgoing_request_set_authority(request, 1, "elsewhere.test", 14);
    outgoing_handle(request, 0, 0, wasi_result);
    say_flag("failed", wasi_result[0]), say_flag("code", wasi_result[8]);
}

static void about_poll(void) {
    int soon = subscribe_duration(0), later = subscribe_duration(60000000), never = subscribe_duration(3600000000000ull);
    pollable_block(soon), say_flag("soon", pollable_ready(soon)), say_flag("never", pollable_ready(never));
    int all[] = {never, later, soon};
    poll_list(all, 3, wasi_result);
    say_flag("found", WASI_WORD(1)), say_flag("first", *(u32 *)WASI_WORD(0));
    poll_list(all, 2, wasi_result);
    say_flag("found", WASI_WORD(1)), say_flag("first", *(u32 *)WASI_WORD(0));
    pollable_drop(soon), pollable_drop(later), pollable_drop(never);
}

/* -- ways to answer ----------------------------------------------------------------------------------------------- */

static body taken(int *response) {
    *response = response_new(with(with(fields_new(), "x-one", "1"), "x-two", "2"));
    response_body(*response, wasi_result);
    body to = {.body = (int)WASI_WORD(1)};
    outgoing_body_write(to.body, wasi_result);
    to.stream = (int)WASI_WORD(1);
    return to;
}

static void respond(answer out, int response) { outparam_set(out, 0, response, 0, 0, 0, 0, 0, 0); }

static void stream_first(answer out, int status, int written) {
    int response;
    body to = taken(&response);
    if (written) put(to, "before, ");
    response_set_status(response, status);
    respond(out, response);
    put(to, "after");
    end(to);
}

static void with_trailers(answer out) {
    body to = start(out, 200, with(headers(), "trailer", "x-sum"));
    put(to, "body");
    end_with(to, 1, with(with(fields_new(), "x-sum", "42"), "x-latin", "\xe9"));
}

static void unfinished(answer out) {
    body to = start(out, 200, headers());
    put(to, "half");
    output_stream_drop(to.stream);
    outgoing_body_drop(to.body);
}

static void bodyless(answer out) { respond(out, response_new(headers())); }

static void failing(answer out) { outparam_set(out, 1, 14, 1, 7, 0, 0, 0, 0); }

static void dropped_response(answer out) {
    int response;
    body to = taken(&response);
    response_drop(response);
    put(to, "nowhere");
    failing(out);
}

static void changed_to_error(answer out) {
    int response;
    taken(&response);
    failing(out);
}

static int answered(text path, answer out) {
    if (equal(path, "/unanswered")) return 1;
    if (equal(path, "/trap")) __builtin_trap();
    if (equal(path, "/with-trailers")) return with_trailers(out), 1;
    if (equal(path, "/unfinished")) return unfinished(out), 1;
    if (equal(path, "/bodyless")) return bodyless(out), 1;
    if (equal(path, "/failing")) return failing(out), 1;
    if (equal(path, "/stream-first")) return stream_first(out, 200, 0), 1;
    if (equal(path, "/written-first")) return stream_first(out, 200, 1), 1;
    if (equal(path, "/changed")) return stream_first(out, 201, 1), 1;
    if (equal(path, "/dropped-response")) return dropped_response(out), 1;
    if (equal(path, "/changed-to-error")) return changed_to_error(out), 1;
    return 0;
}

static void orphan(request in) {
    request_headers(in);
    request_drop(in);
}

static void report_on(text path, request in) {
    if (equal(path, "/fields")) about_fields();
    if (equal(path, "/request")) about_request(in);
    if (equal(path, "/body")) about_body(in);
    if (equal(path, "/trailers")) about_trailers(in);
    if (equal(path, "/response")) about_response();
    if (equal(path, "/options")) about_options();
    if (equal(path, "/client")) about_client();
    if (equal(path, "/denial")) about_denial();
    if (starts_with(path, "/call/")) about_call(after(path, 6));
    if (starts_with(path, "/moved/")) about_moved(after(path, 7));
    if (equal(path, "/poll")) about_poll();
    if (equal(path, "/sleep")) sleep_ms(3600000);
    if (equal(path, "/log")) print("for the log\n");
    if (equal(path, "/orphan")) orphan(in);
}

void serve(request in, answer out) {
    text path = path_of(in);
    if (answered(path, out)) return request_drop(in);
    report_on(path, in);
    body to = start(out, 200, with(headers(), "content-type", "text/plain"));
    write(to, (text){report, reported});
    end(to);
    reported = 0;
    if (!equal(path, "/orphan")) request_drop(in);
}
