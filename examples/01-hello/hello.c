/* Answers a request: variables in, stdin is the body, stdout is the answer. */
#include <stdio.h>
#include <stdlib.h>

static const char *variable(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

int main(void) {
    fputs("Content-Type: text/plain\n\n", stdout);
    fputs(variable("GREETING", "Hello"), stdout);
    fputs(" from ", stdout);
    puts(variable("PATH_INFO", "the command line"));
    return 0;
}
