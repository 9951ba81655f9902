/* A line, then nothing for as long as it is let: it waits in the host. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    puts("holding");
    fflush(stdout);
    for (;;) sleep(3600);
}
