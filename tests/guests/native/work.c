/* work VERB...: exit N | allocate MIB (and keep them) | env | cat FILE | write FILE TEXT | echo (stdin) | ignore-term |
 * get HOST PORT: what a container of the tests can be asked to do. Each says a line first or last. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static void leave(int number) { _exit(number == 0); }

static int copied(FILE *from) {
    char piece[4096];
    for (size_t n; from && (n = fread(piece, 1, sizeof piece, from)) > 0;) fwrite(piece, 1, n, stdout), fflush(stdout);
    return from ? 0 : 1;
}

static int allocated(size_t bytes) {
    volatile char *kept = malloc(bytes);
    if (!kept) return 1;
    for (size_t at = 0; at < bytes; at += 4096) kept[at] = 1;
    puts("allocated");
    fflush(stdout);
    for (;;) pause();
}

static int written(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (!file) return perror(path), 1;
    return fprintf(file, "%s\n", text) < 0 || fclose(file);
}

static int got(const char *host, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int made = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, host, &to.sin_addr);
    if (connect(made, (struct sockaddr *)&to, sizeof to)) return perror(host), 1;
    static const char request[] = "GET / HTTP/1.0\r\nhost: pod\r\n\r\n";
    if (write(made, request, sizeof request - 1) < 0) return 1;
    shutdown(made, SHUT_WR);
    return copied(fdopen(made, "r"));
}

_Noreturn static void ignoring(void) {
    signal(SIGTERM, SIG_IGN);
    puts("ignoring");
    fflush(stdout);
    for (;;) pause();
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    signal(SIGTERM, leave);
    if (!strcmp(verb, "exit")) return fprintf(stderr, "leaving\n"), atoi(argv[2]);
    if (!strcmp(verb, "allocate")) return allocated((size_t)atoi(argv[2]) << 20);
    if (!strcmp(verb, "cat")) return copied(fopen(argv[2], "r"));
    if (!strcmp(verb, "write")) return written(argv[2], argv[3]);
    if (!strcmp(verb, "echo")) return copied(stdin);
    if (!strcmp(verb, "get")) return got(argv[2], atoi(argv[3]));
    if (!strcmp(verb, "ignore-term")) ignoring();
    for (char **entry = environ; *entry; entry++) puts(*entry);
    return 0;
}
