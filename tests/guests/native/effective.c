/* Says as whom it runs; its file has the setuid bit. */
#include <stdio.h>
#include <unistd.h>

int main(void) { return printf("Effective uid: %d\n", geteuid()) < 0; }
