/* Exits with the number of its first argument, after a line on stderr. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    fprintf(stderr, "leaving\n");
    return argc > 1 ? atoi(argv[1]) : 0;
}
