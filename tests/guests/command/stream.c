/* The CGI twin of http/stream.c. /drip: one line, then the request body as it comes. /bytes/N: N bytes of body.
 * /count: how many bytes came. /sleep/MS: an answer after a while. /spin/MS: the same, computing. /env: every variable.
 * /short: less body than Content-Length says. /late-trap: a head and some body, then a trap. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char piece[65536];

static int say(const char *text) { return write(1, text, strlen(text)) < 0; }

static int plain(void) { return say("Content-Type: text/plain\n\n"); }

static int drip(void) {
    plain();
    say("first\n");
    for (ssize_t n; (n = read(0, piece, sizeof piece)) > 0;)
        if (write(1, piece, n) < 0) return 1;
    return 0;
}

static int bytes(long long left) {
    say("Content-Type: application/octet-stream\n\n");
    while (left > 0) {
        size_t next = left < (long long)sizeof piece ? (size_t)left : sizeof piece;
        ssize_t n = write(1, piece, next);
        if (n < 0) return 1;
        left -= n;
    }
    return 0;
}

static int count(void) {
    long long total = 0;
    for (ssize_t n; (n = read(0, piece, sizeof piece)) > 0;) total += n;
    return printf("Content-Type: text/plain\n\n%lld\n", total) < 0;
}

static int sleeps(int ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, 0);
    plain();
    return say("slept\n");
}

static int spins(int ms) {
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    do clock_gettime(CLOCK_MONOTONIC, &now); while (now.tv_sec <= end.tv_sec);
    plain();
    return say("spun\n");
}

static int variables(void) {
    plain();
    for (char **entry = environ; entry && *entry; entry++) puts(*entry);
    return 0;
}

static int late_trap(void) {
    plain();
    say("begun\n");
    read(0, piece, 1);
    __builtin_trap();
}

int main(void) {
    const char *path = getenv("PATH_INFO");
    if (!path) return 1;
    if (!strcmp(path, "/drip")) return drip();
    if (!strncmp(path, "/bytes/", 7)) return bytes(atoll(path + 7));
    if (!strcmp(path, "/count")) return count();
    if (!strncmp(path, "/sleep/", 7)) return sleeps(atoi(path + 7));
    if (!strncmp(path, "/spin/", 6)) return spins(atoi(path + 6));
    if (!strcmp(path, "/env")) return variables();
    if (!strcmp(path, "/short")) return say("Content-Type: text/plain\nContent-Length: 10\n\nshort");
    if (!strcmp(path, "/late-trap")) return late_trap();
    plain();
    return say("elsewhere\n");
}
