/* files read PATH | write PATH TEXT | list PATH | remove PATH: one file operation, errno's text when it is refused. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int refused(const char *what) {
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

static int read_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) return refused("read");
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;) fwrite(piece, 1, n, stdout);
    return fclose(file);
}

static int write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (!file) return refused("write");
    fputs(text, file);
    return fclose(file) ? refused("write") : 0;
}

static int list(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return refused("list");
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') puts(entry->d_name);
    return closedir(folder);
}

int main(int argc, char **argv) {
    const char *path = argc > 2 ? argv[2] : "";
    if (argc > 3 && !strcmp(argv[1], "write")) return write_file(path, argv[3]);
    if (argc > 2 && !strcmp(argv[1], "read")) return read_file(path);
    if (argc > 2 && !strcmp(argv[1], "list")) return list(path);
    if (argc > 2 && !strcmp(argv[1], "remove")) return unlink(path) ? refused("remove") : 0;
    return 2;
}
