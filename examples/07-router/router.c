/* Routing in code: a table of methods and patterns, parameters, redirects, 404 and 405 with Allow. */
#include "wasi_http.h"

typedef struct { text name; answer out; } call; /* name: what stood where the pattern has `*` */
typedef struct { enum method method; const char *pattern; void (*serve)(call); } route;

static void say(answer out, int status, const char *before, text name, const char *behind) {
    body to = start(out, status, with(headers(), "content-type", "text/plain"));
    put(to, before);
    write(to, name);
    put(to, behind);
    end(to);
}

static void redirect(answer out, int status, const char *location) {
    end(start(out, status, with(headers(), "location", location)));
}

static void home(call c) { say(c.out, 200, "This is ", text_of("home"), ".\n"); }
static void show_boat(call c) { say(c.out, 200, "The boat is called ", c.name, ".\n"); }
static void keep_boat(call c) { say(c.out, 201, "Moored: ", c.name, ".\n"); }
static void moved(call c) { redirect(c.out, 308, "/boats/wherry"); }
static void see_home(call c) { redirect(c.out, 302, "/"); }

static const route routes[] = {
    {GET, "/", home},
    {GET, "/boats/*", show_boat},
    {PUT, "/boats/*", keep_boat},
    {GET, "/old-boat", moved},
    {GET, "/start", see_home},
};

/* Does the path fit the pattern? `*` is one segment, which goes into `name`. */
static int fits(const char *pattern, text path, text *name) {
    u32 at = 0;
    for (; *pattern && *pattern != '*'; pattern++, at++)
        if (at == path.length || path.at[at] != *pattern) return 0;
    if (!*pattern) return at == path.length;
    *name = after(path, at);
    for (u32 i = 0; i < name->length; i++)
        if (name->at[i] == '/') return 0;
    return name->length > 0;
}

static text without_query(text path) {
    u32 end = 0;
    while (end < path.length && path.at[end] != '?') end++;
    return (text){path.at, end};
}

static void refuse(answer out, int path_known) {
    if (!path_known) return say(out, 404, "There is no such ", text_of("page"), ".\n");
    body to = start(out, 405, with(with(headers(), "content-type", "text/plain"), "allow", "GET"));
    put(to, "Not that way.\n");
    end(to);
}

void serve(request in, answer out) {
    text path = without_query(path_of(in));
    enum method method = method_of(in) == HEAD ? GET : method_of(in);
    int path_known = 0;
    for (u32 i = 0; i < sizeof routes / sizeof *routes; i++) {
        call c = {.out = out};
        if (!fits(routes[i].pattern, path, &c.name)) continue;
        path_known = 1;
        if (routes[i].method == method) return routes[i].serve(c);
    }
    refuse(out, path_known);
}
