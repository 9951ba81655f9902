/* One way to misbehave for each name, as first argument or, under CGI, as PATH_INFO. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int sink;
static volatile int zero;
static int (*volatile nowhere)(int);

static int loop(void) { for (;;) sink++; }

static int sleeps(void) { return (int)sleep(3600); }

static int waits_for_stdin(void) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    return poll(&in, 1, -1);
}

__attribute__((noinline)) static int deeper(int n) {
    sink = n;
    int below = n < sink + 1 ? deeper(n + 1) : 0;
    sink = below;
    return below + n;
}

static int recurse(void) { return deeper(0); }

static int grow(void) {
    size_t got = 0;
    while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1) got++;
    fprintf(stderr, "memory refused after %zu MiB\n", got);
    return 3;
}

static int touch(void) {
    for (size_t mib = 0;; mib++) {
        char *piece = malloc(1 << 20);
        if (!piece) return fprintf(stderr, "malloc refused after %zu MiB\n", mib), 3;
        for (size_t at = 0; at < 1 << 20; at += 4096) ((volatile char *)piece)[at] = 1;
    }
}

static int flood(void) {
    static char line[4096];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    puts("Content-Type: text/plain\n");
    for (;;) fwrite(line, 1, sizeof line, stdout);
}

static int flood_log(void) {
    for (;;) fputs("a line that nobody asked for\n", stderr);
}

static int unreachable(void) { __builtin_trap(); }
static int aborts(void) { abort(); }
static int out_of_bounds(void) { return *(volatile int *)0xfffffff0u; }
static int divide(void) { return 7 / zero; }
static int overflow(void) { return (zero + INT32_MIN) / (zero - 1); }
static int null_call(void) { return nowhere(3); }

static int bad_signature(void) {
    long long (*volatile wrong)(long long) = (long long (*)(long long))(void *)divide;
    return (int)wrong(3);
}

static const struct { const char *name; int (*way)(void); } ways[] = {
    {"loop", loop}, {"sleep", sleeps}, {"wait", waits_for_stdin}, {"recurse", recurse}, {"grow", grow}, {"touch", touch},
    {"flood", flood}, {"flood-log", flood_log}, {"unreachable", unreachable}, {"abort", aborts},
    {"out-of-bounds", out_of_bounds}, {"divide", divide}, {"overflow", overflow}, {"null-call", null_call},
    {"bad-signature", bad_signature},
};

int main(int argc, char **argv) {
    const char *path = getenv("PATH_INFO");
    const char *wanted = path && *path ? path + 1 : argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(ways[i].name, wanted)) return ways[i].way();
    puts("Content-Type: text/plain\n\nwell behaved");
    return 0;
}
