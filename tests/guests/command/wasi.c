/* One group of preview-1 functions for each first argument: what each call answered, in a form that does not change
   from run to run. The folder that is written to is the first preopened one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#define FOLDER 3
#define ALL_RIGHTS (~0ull >> 34)

static unsigned char buffer[4096];

static void show(const char *call, __wasi_errno_t errno) { printf("%s %d\n", call, errno); }

static __wasi_fd_t opened(const char *path, __wasi_oflags_t how, __wasi_fdflags_t flags) {
    __wasi_fd_t file = 0;
    show("path_open", __wasi_path_open(FOLDER, 0, path, how, ALL_RIGHTS, ALL_RIGHTS, flags, &file));
    return file;
}

static void put(__wasi_fd_t file, const char *text) {
    __wasi_ciovec_t pieces[2] = {{(const uint8_t *)text, strlen(text)}, {(const uint8_t *)"|", 1}};
    __wasi_size_t done = 0;
    show("fd_write", __wasi_fd_write(file, pieces, 2, &done));
    printf("wrote %lu\n", done);
}

static void get(__wasi_fd_t file, size_t most) {
    __wasi_iovec_t pieces[2] = {{buffer, most / 2}, {buffer + most / 2, most - most / 2}};
    __wasi_size_t done = 0;
    show("fd_read", __wasi_fd_read(file, pieces, 2, &done));
    printf("read %lu %.*s\n", done, (int)done, buffer);
}

static void size_of(const char *path, __wasi_lookupflags_t flags) {
    __wasi_filestat_t stat = {0};
    show("path_filestat_get", __wasi_path_filestat_get(FOLDER, flags, path, &stat));
    printf("type %d size %llu links %llu\n", stat.filetype, stat.size, stat.nlink);
}

static void arguments(int argc, char **argv) {
    __wasi_size_t count = 0, bytes = 0;
    show("args_sizes_get", __wasi_args_sizes_get(&count, &bytes));
    printf("%lu arguments, %lu bytes\n", count, bytes);
    for (int i = 0; i < argc; i++) puts(argv[i]);
}

static void environment(int argc, char **argv) {
    __wasi_size_t count = 0, bytes = 0;
    show("environ_sizes_get", __wasi_environ_sizes_get(&count, &bytes));
    uint8_t *entries[16];
    show("environ_get", __wasi_environ_get(entries, buffer));
    for (__wasi_size_t i = 0; i < count; i++) puts((char *)entries[i]);
}

static void clocks(int argc, char **argv) {
    __wasi_timestamp_t first = 0, second = 0, step = 0;
    for (__wasi_clockid_t id = 0; id < 2; id++) {
        show("clock_res_get", __wasi_clock_res_get(id, &step));
        show("clock_time_get", __wasi_clock_time_get(id, 0, &first));
        show("clock_time_get", __wasi_clock_time_get(id, 0, &second));
        printf("resolution %d, forwards %d\n", step > 0, second >= first);
    }
    show("clock_time_get", __wasi_clock_time_get(0, 0, &first));
    printf("after 2025 %d\n", first / 1000000000 > 1735689600);
}

static void randomness(int argc, char **argv) {
    uint8_t one[64] = {0}, two[64] = {0};
    show("random_get", __wasi_random_get(one, sizeof one));
    show("random_get", __wasi_random_get(two, sizeof two));
    show("random_get", __wasi_random_get(one, 0));
    printf("differ %d\n", memcmp(one, two, sizeof one) != 0);
}

static void streams(int argc, char **argv) {
    __wasi_filesize_t at;
    get(0, 8);
    get(0, 1000);
    get(0, 10);
    put(2, "to stderr");
    show("fd_seek", __wasi_fd_seek(1, 0, __WASI_WHENCE_SET, &at));
    show("fd_write", __wasi_fd_write(99, 0, 0, (__wasi_size_t *)buffer));
}

static void reading(int argc, char **argv) {
    __wasi_fd_t file = opened("given", 0, 0);
    __wasi_filesize_t at = 0;
    __wasi_size_t done = 0;
    get(file, 5);
    show("fd_tell", __wasi_fd_tell(file, &at));
    printf("at %llu\n", at);
    show("fd_seek", __wasi_fd_seek(file, -4, __WASI_WHENCE_END, &at));
    printf("at %llu\n", at);
    get(file, 100);
    __wasi_iovec_t piece = {buffer, 6};
    show("fd_pread", __wasi_fd_pread(file, &piece, 1, 2, &done));
    printf("pread %lu %.*s\n", done, (int)done, buffer);
    show("fd_seek", __wasi_fd_seek(file, -100, __WASI_WHENCE_SET, &at));
    show("fd_close", __wasi_fd_close(file));
    show("fd_close", __wasi_fd_close(file));
}

static void writing(int argc, char **argv) {
    __wasi_fd_t file = opened("made", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, 0);
    __wasi_filestat_t stat = {0};
    __wasi_size_t done = 0;
    put(file, "some text");
    __wasi_ciovec_t piece = {(const uint8_t *)"OVER", 4};
    show("fd_pwrite", __wasi_fd_pwrite(file, &piece, 1, 2, &done));
    show("fd_filestat_set_size", __wasi_fd_filestat_set_size(file, 20));
    show("fd_filestat_get", __wasi_fd_filestat_get(file, &stat));
    printf("size %llu type %d\n", stat.size, stat.filetype);
    show("fd_datasync", __wasi_fd_datasync(file));
    show("fd_sync", __wasi_fd_sync(file));
    show("fd_advise", __wasi_fd_advise(file, 0, 10, __WASI_ADVICE_SEQUENTIAL));
    opened("made", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, 0);
    put(opened("made", 0, __WASI_FDFLAGS_APPEND), "appended");
    opened("made", __WASI_OFLAGS_TRUNC, 0);
    opened("missing", 0, 0);
    opened("made", __WASI_OFLAGS_DIRECTORY, 0);
}

static void times(int argc, char **argv) {
    __wasi_filestat_t stat = {0};
    __wasi_fstflags_t given = __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM;
    show("path_filestat_set_times", __wasi_path_filestat_set_times(FOLDER, 0, "given", 1000000000, 2000000000, given));
    show("path_filestat_get", __wasi_path_filestat_get(FOLDER, 0, "given", &stat));
    printf("accessed %llu modified %llu\n", stat.atim, stat.mtim);
    __wasi_fd_t file = opened("given", 0, 0);
    show("fd_filestat_set_times", __wasi_fd_filestat_set_times(file, 3000000000, 4000000000, given));
    show("fd_filestat_get", __wasi_fd_filestat_get(file, &stat));
    printf("accessed %llu modified %llu\n", stat.atim, stat.mtim);
    show("both", __wasi_fd_filestat_set_times(file, 0, 0, given | __WASI_FSTFLAGS_MTIM_NOW));
}

static void descriptors(int argc, char **argv) {
    for (__wasi_fd_t file = 1; file < 7; file++) {
        __wasi_fdstat_t stat = {0};
        __wasi_prestat_t folder = {0};
        show("fd_fdstat_get", __wasi_fd_fdstat_get(file, &stat));
        printf("%u: type %d flags %d\n", file, stat.fs_filetype, stat.fs_flags);
        show("fd_prestat_get", __wasi_fd_prestat_get(file, &folder));
    }
    __wasi_fd_t file = opened("given", 0, 0);
    show("fd_fdstat_set_flags", __wasi_fd_fdstat_set_flags(file, __WASI_FDFLAGS_APPEND));
    show("fd_renumber", __wasi_fd_renumber(file, 9));
    show("fd_prestat_dir_name", __wasi_fd_prestat_dir_name(FOLDER, buffer, 5));
    printf("named %.5s\n", buffer);
}

static int by_name(const void *one, const void *two) { return strcmp(*(char *const *)one, *(char *const *)two); }

static void listing(int argc, char **argv) {
    static char names[16][32];
    char *sorted[16];
    size_t count = 0;
    __wasi_size_t used = 0;
    show("fd_readdir", __wasi_fd_readdir(FOLDER, buffer, sizeof buffer, 0, &used));
    for (size_t at = 0; at + sizeof(__wasi_dirent_t) < used && count < 16; count++) {
        __wasi_dirent_t entry;
        memcpy(&entry, buffer + at, sizeof entry);
        at += sizeof entry;
        snprintf(names[count], 32, "%d %.*s", entry.d_type, (int)entry.d_namlen, buffer + at);
        at += entry.d_namlen;
        sorted[count] = names[count];
    }
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++) puts(sorted[i]);
    show("fd_readdir", __wasi_fd_readdir(99, buffer, sizeof buffer, 0, &used));
}

static void folders(int argc, char **argv) {
    show("path_create_directory", __wasi_path_create_directory(FOLDER, "new"));
    show("path_create_directory", __wasi_path_create_directory(FOLDER, "new"));
    show("path_create_directory", __wasi_path_create_directory(FOLDER, "new/deeper"));
    show("path_remove_directory", __wasi_path_remove_directory(FOLDER, "new"));
    show("path_remove_directory", __wasi_path_remove_directory(FOLDER, "given"));
    show("path_remove_directory", __wasi_path_remove_directory(FOLDER, "new/deeper"));
    show("path_rename", __wasi_path_rename(FOLDER, "new", FOLDER, "newer"));
    show("path_unlink_file", __wasi_path_unlink_file(FOLDER, "newer"));
    size_of("newer", 0);
}

static void links(int argc, char **argv) {
    __wasi_size_t used = 0;
    show("path_link", __wasi_path_link(FOLDER, 0, "given", FOLDER, "hard"));
    size_of("hard", 0);
    show("path_symlink", __wasi_path_symlink("given", FOLDER, "soft"));
    show("path_readlink", __wasi_path_readlink(FOLDER, "soft", buffer, sizeof buffer, &used));
    printf("target %.*s\n", (int)used, buffer);
    size_of("soft", 0);
    size_of("soft", __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW);
    show("path_rename", __wasi_path_rename(FOLDER, "hard", FOLDER, "harder"));
    show("path_unlink_file", __wasi_path_unlink_file(FOLDER, "soft"));
    show("path_unlink_file", __wasi_path_unlink_file(FOLDER, "soft"));
}

static void escapes(int argc, char **argv) {
    opened("../outside", 0, 0);
    opened("/etc/passwd", 0, 0);
    opened("inner/../../outside", 0, 0);
    opened("out", 0, 0);
    size_of("out", __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW);
    show("path_symlink", __wasi_path_symlink("/etc/passwd", FOLDER, "absolute"));
    show("path_rename", __wasi_path_rename(FOLDER, "given", FOLDER, "../stolen"));
    show("path_link", __wasi_path_link(FOLDER, 0, "../outside", FOLDER, "linked"));
    show("path_create_directory", __wasi_path_create_directory(FOLDER, "../made"));
    show("path_unlink_file", __wasi_path_unlink_file(FOLDER, "../outside"));
}

static void refusals(int argc, char **argv) {
    __wasi_fd_t file = opened("given", 0, 0);
    get(file, 10);
    put(file, "written");
    opened("made", __WASI_OFLAGS_CREAT, 0);
    opened("given", __WASI_OFLAGS_TRUNC, 0);
    show("fd_filestat_set_size", __wasi_fd_filestat_set_size(file, 0));
    show("fd_filestat_set_times", __wasi_fd_filestat_set_times(file, 1, 1, __WASI_FSTFLAGS_MTIM));
    show("path_create_directory", __wasi_path_create_directory(FOLDER, "new"));
    show("path_unlink_file", __wasi_path_unlink_file(FOLDER, "given"));
    show("path_rename", __wasi_path_rename(FOLDER, "given", FOLDER, "other"));
    show("path_link", __wasi_path_link(FOLDER, 0, "given", FOLDER, "other"));
    show("path_symlink", __wasi_path_symlink("given", FOLDER, "other"));
    show("path_filestat_set_times", __wasi_path_filestat_set_times(FOLDER, 0, "given", 1, 1, __WASI_FSTFLAGS_MTIM));
}

static void waiting(int argc, char **argv) {
    __wasi_timestamp_t before = 0, after = 0, now = 0;
    __wasi_size_t count = 0;
    __wasi_event_t events[3] = {0};
    __wasi_subscription_t wanted[2] = {0};
    wanted[0].userdata = 11;
    wanted[0].u.u.clock = (__wasi_subscription_clock_t){.id = 1, .timeout = 20000000};
    wanted[1].userdata = 22;
    wanted[1].u.u.clock = (__wasi_subscription_clock_t){.id = 0, .timeout = 3600000000000};
    show("clock_time_get", __wasi_clock_time_get(1, 0, &before));
    show("poll_oneoff", __wasi_poll_oneoff(wanted, events, 2, &count));
    show("clock_time_get", __wasi_clock_time_get(1, 0, &after));
    printf("%lu event, of %llu, errno %d, type %d\n", count, events[0].userdata, events[0].error, events[0].type);
    printf("slept %d\n", after - before >= 20000000);
    for (__wasi_clockid_t id = 0; id < 2; id++) {
        show("clock_time_get", __wasi_clock_time_get(id, 0, &now));
        wanted[0].u.u.clock = (__wasi_subscription_clock_t){.id = id, .timeout = now + 20000000, .flags = 1};
        show("poll_oneoff", __wasi_poll_oneoff(wanted, events, 1, &count));
        show("clock_time_get", __wasi_clock_time_get(id, 0, &after));
        printf("%lu event, of %llu, slept until then %d\n", count, events[0].userdata, after >= now + 20000000);
    }
    show("in the past", __wasi_poll_oneoff(wanted, events, 1, &count));
    wanted[1].u.tag = __WASI_EVENTTYPE_FD_WRITE;
    wanted[1].u.u.fd_write.file_descriptor = 1;
    show("stdout", __wasi_poll_oneoff(wanted + 1, events, 1, &count));
    printf("%lu event, of %llu, errno %d, type %d\n", count, events[0].userdata, events[0].error, events[0].type);
}

static void scheduling(int argc, char **argv) { show("sched_yield", __wasi_sched_yield()); }

static void sockets(int argc, char **argv) {
    __wasi_fd_t connection = 0;
    __wasi_ciovec_t out = {buffer, 1};
    __wasi_iovec_t in = {buffer, 1};
    __wasi_size_t done = 0;
    __wasi_roflags_t flags = 0;
    for (__wasi_fd_t file = 2; file < 5; file++) {
        show("sock_accept", __wasi_sock_accept(file, 0, &connection));
        show("sock_recv", __wasi_sock_recv(file, &in, 1, 0, &done, &flags));
        show("sock_send", __wasi_sock_send(file, &out, 1, 0, &done));
        show("sock_shutdown", __wasi_sock_shutdown(file, __WASI_SDFLAGS_RD));
    }
}

static void leaving(int argc, char **argv) {
    puts("before");
    fflush(stdout);
    __wasi_proc_exit(7);
}

static const struct {
    const char *name;
    void (*group)(int, char **);
} groups[] = {
    {"arguments", arguments}, {"environment", environment}, {"clocks", clocks}, {"randomness", randomness},
    {"streams", streams}, {"reading", reading}, {"writing", writing}, {"times", times}, {"descriptors", descriptors},
    {"listing", listing}, {"folders", folders}, {"links", links}, {"escapes", escapes}, {"refusals", refusals},
    {"waiting", waiting}, {"scheduling", scheduling}, {"sockets", sockets}, {"leaving", leaving},
};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof groups / sizeof *groups; i++)
        if (!strcmp(groups[i].name, argv[1])) return groups[i].group(argc, argv), 0;
    return 2;
}
