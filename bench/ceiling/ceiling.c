/* The same C API calls as the engine's for one request, without Python: what is left to gain.
 *
 * ceiling module|component|outbound CODE REQUESTS BATCHES KEEP: prints the CPU nanoseconds of a request, for each batch. CODE is
 * what wherry.engine.code compiled; for a component, composed with the adapter. KEEP is the pool's keep_resident. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "api.h"

#define MEMORY (128 << 20)
#define SLOTS 16

static const char *const argv0[] = {"/app.wasm"};
static const char *const names[] = {
    "GATEWAY_INTERFACE", "SERVER_SOFTWARE", "SCRIPT_NAME", "REQUEST_METHOD", "REQUEST_URI", "PATH_INFO", "QUERY_STRING",
    "SERVER_PROTOCOL", "SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST"};
static const char *const values[] = {
    "CGI/1.1", "wherry", "", "GET", "/x", "/x", "", "HTTP/1.1", "localhost", "8080", "127.0.0.1", "40000", "localhost"};
static const char head[] = "GET\n/x\nhttp\nlocalhost\n-\nhost\nlocalhost";

static void *engine, *code, *pre, *linker, *prepare, *run;
static int pipe_ends[2], is_component, is_outbound;
static char out_path[64], answer[262144];

static void check(void *error) {
    if (!error) return;
    bytes text;
    wasmtime_error_message(error, &text);
    fprintf(stderr, "%.*s\n", (int)text.size, text.data);
    exit(1);
}

static void *pool(size_t keep) {
    void *p = wasmtime_pooling_allocation_config_new();
#define SET(name, value) wasmtime_pooling_allocation_config_##name##_set(p, value)
    SET(total_component_instances, SLOTS * 8), SET(max_component_instance_size, 4 << 20);
    SET(max_core_instances_per_component, 40), SET(max_memories_per_component, 4), SET(max_tables_per_component, 16);
    SET(total_core_instances, SLOTS * 40), SET(max_core_instance_size, 4 << 20), SET(total_memories, SLOTS * 4);
    SET(max_memory_size, MEMORY), SET(total_tables, SLOTS * 16), SET(table_elements, 100000), SET(total_stacks, SLOTS);
    SET(total_gc_heaps, SLOTS), SET(max_unused_warm_slots, SLOTS * 4);
    SET(linear_memory_keep_resident, keep), SET(table_keep_resident, keep);
    return p;
}

static void *nothing(void *e, void *c, void *t, value *a, size_t n, value *r, size_t m) {
    (void)e, (void)c, (void)t, (void)a, (void)n, (void)r, (void)m;
    return NULL;
}

static void *go_on(void *context, void *data, uint64_t *ticks, uint8_t *kind) {
    (void)context, (void)data, (void)kind;
    *ticks = 1;
    return NULL;
}

static void link_module(void) {
    linker = wasmtime_linker_new(engine);
    check(wasmtime_linker_define_wasi(linker));
    check(wasmtime_linker_instantiate_pre(linker, code, &pre));
}

static void link_component(void) {
    linker = wasmtime_component_linker_new(engine);
    check(wasmtime_component_linker_add_wasip2(linker));
    if (is_outbound) check(wasmtime_component_linker_add_wasi_http(linker));
    void *root = wasmtime_component_linker_root(linker), *control;
    check(wasmtime_component_linker_instance_add_instance(root, "wherry:host/control", 19, &control));
    check(wasmtime_component_linker_instance_add_func(control, "respond", 7, nothing, NULL, NULL));
    check(wasmtime_component_linker_instance_add_func(control, "trailers", 8, nothing, NULL, NULL));
    check(wasmtime_component_linker_instance_add_func(control, "egress", 6, nothing, NULL, NULL));
    wasmtime_component_linker_instance_delete(control);
    wasmtime_component_linker_instance_delete(root);
    prepare = wasmtime_component_get_export_index(code, NULL, "prepare", 7);
    run = wasmtime_component_get_export_index(code, NULL, "run", 3);
}

static void *open_store(void) {
    void *wasi = wasi_config_new();
    size_t count = is_component ? 0 : sizeof names / sizeof *names;
    wasi_config_set_env(wasi, count, names, values);
    wasi_config_set_argv(wasi, 1, argv0);
    wasi_config_set_stdout_file(wasi, out_path);
    wasi_config_inherit_stderr(wasi);
    void *store = wasmtime_store_new(engine, NULL, NULL), *context = wasmtime_store_context(store);
    wasmtime_store_epoch_deadline_callback(store, go_on, NULL, NULL);
    wasmtime_context_set_epoch_deadline(context, 1);
    check(wasmtime_context_set_wasi(context, wasi));
    if (is_outbound) wasmtime_context_set_wasi_http(context);
    return store;
}

static void call_module(void *context) {
    instance made = {{0}};
    external start = {0};
    void *trap = NULL;
    check(wasmtime_instance_pre_instantiate(pre, context, &made, &trap));
    wasmtime_instance_export_get(context, &made, "_start", 6, &start);
    void *error = wasmtime_func_call(context, start.of, NULL, 0, NULL, 0, &trap);
    int status = 0;
    if (error && wasmtime_error_exit_status(error, &status) && !status) wasmtime_error_delete(error);
    else check(error);
}

static void call_component(void *context) {
    instance made = {{0}};
    component_func function;
    value given = {.kind = STRING}, got = {0};
    check(wasmtime_component_linker_instantiate(linker, context, code, &made));
    wasm_byte_vec_new(&given.of.string, sizeof head - 1, head);
    wasmtime_component_instance_get_func(&made, context, prepare, &function);
    check(wasmtime_component_func_call(&function, context, &given, 1, NULL, 0));
    wasmtime_component_val_delete(&given);
    wasmtime_component_instance_get_func(&made, context, run, &function);
    check(wasmtime_component_func_call(&function, context, NULL, 0, &got, 1));
}

static void request(void) {
    void *store = open_store(), *context = wasmtime_store_context(store);
    if (is_component) call_component(context);
    else call_module(context);
    wasmtime_store_delete(store);
    if (read(pipe_ends[0], answer, sizeof answer) <= 0) exit(3);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    is_outbound = !strcmp(argv[1], "outbound");
    is_component = is_outbound || !strcmp(argv[1], "component");
    void *config = wasm_config_new();
    wasmtime_config_epoch_interruption_set(config, EPOCH_INTERRUPTION);
    wasmtime_config_concurrency_support_set(config, CONCURRENCY_SUPPORT);
    wasmtime_pooling_allocation_strategy_set(config, pool(strtoul(argv[5], NULL, 10)));
    engine = wasm_engine_new_with_config(config);
    check((is_component ? wasmtime_component_deserialize_file : wasmtime_module_deserialize_file)(engine, argv[2], &code));
    if (is_component) link_component();
    else link_module();
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK)) return 1;
    fcntl(pipe_ends[1], F_SETPIPE_SZ, sizeof answer);
    snprintf(out_path, sizeof out_path, "/proc/self/fd/%d", pipe_ends[1]);
    int requests = atoi(argv[3]);
    for (int i = 0; i < requests / 5; i++) request();
    for (int batch = atoi(argv[4]); batch; batch--) {
        double began = now();
        for (int i = 0; i < requests; i++) request();
        printf("%.0f\n", (now() - began) / requests);
    }
    return 0;
}
