/* A CGI program: says what it was asked and gives the body back. PATH_INFO /status/N answers with that status,
 * /redirect with a Location, /headers with every HTTP_ variable, /bare with no header at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static void copy_body(void) {
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, stdin)) > 0;) fwrite(piece, 1, n, stdout);
}

static void show_headers(void) {
    puts("Content-Type: text/plain\n");
    for (char **entry = environ; entry && *entry; entry++)
        if (!strncmp(*entry, "HTTP_", 5)) puts(*entry);
}

int main(void) {
    const char *path = variable("PATH_INFO");
    if (!strncmp(path, "/status/", 8)) return printf("Status: %d Chosen\nContent-Type: text/plain\n\nchosen\n", atoi(path + 8)) < 0;
    if (!strcmp(path, "/redirect")) return puts("Location: /elsewhere\n") < 0;
    if (!strcmp(path, "/bare")) return 0;
    if (!strcmp(path, "/headers")) return show_headers(), 0;
    printf("Content-Type: text/plain\nX-Guest: cgi\n\n%s %s?%s\n", variable("REQUEST_METHOD"), path, variable("QUERY_STRING"));
    copy_body();
    return 0;
}
