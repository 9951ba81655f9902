/* A command that opens a TCP connection to 127.0.0.1:ARGUMENT and succeeds if it may. */
#include "wasi_http_fetch.h"

#define FROM(interface, name) __attribute__((import_module(interface "@" WASI_VERSION), import_name(name))) extern

FROM("wasi:cli/environment", "get-arguments") void get_arguments(void *result);
FROM("wasi:sockets/instance-network", "instance-network") int instance_network(void);
FROM("wasi:sockets/tcp-create-socket", "create-tcp-socket") void create_tcp_socket(int family, void *result);
FROM("wasi:sockets/tcp", "[method]tcp-socket.subscribe") int tcp_subscribe(int socket);
FROM("wasi:sockets/tcp", "[method]tcp-socket.finish-connect") void finish_connect(int socket, void *result);
FROM("wasi:sockets/tcp", "[method]tcp-socket.start-connect")
void start_connect(int socket, int network, int family, int port, int a, int b, int c, int d, int, int, int, int, int, int,
                   void *result);

void serve(request in, answer out) {}

static int number(text digits) {
    int n = 0;
    for (u32 i = 0; i < digits.length; i++) n = n * 10 + digits.at[i] - '0';
    return n;
}

__attribute__((export_name("wasi:cli/run@" WASI_VERSION "#run"))) int run_command(void) {
    get_arguments(wasi_result);
    const text *arguments = (const text *)WASI_WORD(0);
    int port = WASI_WORD(1) > 1 ? number(arguments[1]) : 0;
    create_tcp_socket(0, wasi_result);
    if (wasi_result[0]) return 1;
    int socket = (int)WASI_WORD(1);
    start_connect(socket, instance_network(), 0, port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, wasi_result);
    if (wasi_result[0]) return 1;
    await(tcp_subscribe(socket));
    finish_connect(socket, wasi_result);
    return wasi_result[0];
}
