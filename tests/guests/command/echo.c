/* Prints its arguments and its environment, then copies stdin to stdout. */
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("arg %s\n", argv[i]);
    for (char **entry = environ; entry && *entry; entry++) printf("env %s\n", *entry);
    fflush(stdout);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, stdin)) > 0;) {
        fwrite(piece, 1, n, stdout);
        fflush(stdout);
    }
    return 0;
}
