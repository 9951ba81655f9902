/* Resize or blur a PNG. As a command: `image resize 320x240 < in.png > out.png`, `image blur 6 < in.png > out.png`.
 * Over HTTP (CGI) the same words are the path: POST /resize/320x240, POST /blur/6, with the picture as the body. */
#include <stdio.h>
#include <string.h>
#include "png.h"

#define LARGEST_BODY (32 << 20)

static int served; /* by CGI: errors are then statuses */

static int refuse(const char *status, const char *why) {
    if (served) return printf("Status: %s\nContent-Type: text/plain\n\n%s\n", status, why) < 0;
    return fprintf(stderr, "image: %s\n", why), 2;
}

static uint8_t *everything(size_t *size) {
    size_t room = 1 << 16, n;
    uint8_t *data = malloc(room);
    for (*size = 0; (n = fread(data + *size, 1, room - *size, stdin)) > 0 && room < LARGEST_BODY;)
        if ((*size += n) == room) data = realloc(data, room *= 2);
    return data;
}

static int answer(picture p) {
    size_t size;
    uint8_t *png = encoded(p, &size);
    if (served) printf("Content-Type: image/png\n\n");
    return fwrite(png, 1, size, stdout) != size || fflush(stdout);
}

/* What is asked for, by its two words. */
static int work(const char *operation, const char *amount) {
    int width = 0, height = 0, radius = 0, resize = !strcmp(operation, "resize"), blur = !strcmp(operation, "blur");
    if (resize && (sscanf(amount, "%dx%d", &width, &height) != 2 || width < 1 || height < 1 || width > LARGEST || height > LARGEST))
        return refuse("400 Bad Request", "resize wants WIDTHxHEIGHT, at most 8192 each");
    if (blur && (sscanf(amount, "%d", &radius) != 1 || radius < 1 || radius > 100))
        return refuse("400 Bad Request", "blur wants a radius from 1 to 100");
    if (!resize && !blur) return refuse("404 Not Found", "there are resize WIDTHxHEIGHT and blur RADIUS");
    size_t size;
    uint8_t *data = everything(&size);
    picture in = decoded(data, size);
    if (!in.rgba) return refuse("415 Unsupported Media Type", "this is no PNG with 8 bits a channel");
    return answer(resize ? resized(in, width, height) : blurred(in, radius));
}

int main(int argc, char **argv) {
    const char *path = getenv("PATH_INFO");
    char operation[16] = "", amount[32] = "";
    served = getenv("REQUEST_METHOD") != NULL;
    if (served && path) sscanf(path, "/%15[^/]/%31[^/]", operation, amount);
    else if (argc == 3) snprintf(operation, sizeof operation, "%s", argv[1]), snprintf(amount, sizeof amount, "%s", argv[2]);
    return work(operation, amount);
}
