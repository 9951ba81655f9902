/* The functions of the wasmtime C API that ceiling.c calls: the library ships with the Python wheel, its headers do not. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { size_t size; char *data; } bytes;
typedef struct { uint64_t of[2]; } instance;
typedef struct { uint64_t of[4]; } component_func;
typedef struct { uint8_t kind; union { bytes string; uint8_t u8; uint64_t room[3]; } of; } value;
typedef struct { uint8_t kind; uint64_t of[3]; } external;
typedef void *callback(void *, void *, void *, value *, size_t, value *, size_t);
typedef void *deadline(void *, void *, uint64_t *, uint8_t *);

enum { STRING = 12 };

void *wasm_config_new(void);
void wasmtime_config_epoch_interruption_set(void *, bool);
void wasmtime_config_concurrency_support_set(void *, bool);
void *wasmtime_pooling_allocation_config_new(void);
void wasmtime_pooling_allocation_strategy_set(void *config, void *pool);
#define POOL(name, kind) void wasmtime_pooling_allocation_config_##name##_set(void *, kind)
POOL(max_unused_warm_slots, uint32_t);
POOL(linear_memory_keep_resident, size_t);
POOL(table_keep_resident, size_t);
POOL(total_component_instances, uint32_t);
POOL(max_component_instance_size, size_t);
POOL(max_core_instances_per_component, uint32_t);
POOL(max_memories_per_component, uint32_t);
POOL(max_tables_per_component, uint32_t);
POOL(total_core_instances, uint32_t);
POOL(max_core_instance_size, size_t);
POOL(total_memories, uint32_t);
POOL(max_memory_size, size_t);
POOL(total_tables, uint32_t);
POOL(table_elements, size_t);
POOL(total_stacks, uint32_t);
POOL(total_gc_heaps, uint32_t);
void *wasm_engine_new_with_config(void *);

void *wasmtime_store_new(void *engine, void *, void *);
void *wasmtime_store_context(void *);
void wasmtime_store_delete(void *);
void wasmtime_store_epoch_deadline_callback(void *, deadline *, void *, void *);
void wasmtime_context_set_epoch_deadline(void *, uint64_t);
void *wasmtime_context_set_wasi(void *, void *wasi);

void *wasi_config_new(void);
bool wasi_config_set_argv(void *, size_t, const char *const *);
bool wasi_config_set_env(void *, size_t, const char *const *names, const char *const *values);
bool wasi_config_set_stdout_file(void *, const char *);
void wasi_config_inherit_stderr(void *);

void *wasmtime_module_deserialize_file(void *engine, const char *, void **);
void *wasmtime_linker_new(void *engine);
void *wasmtime_linker_define_wasi(void *);
void *wasmtime_linker_instantiate_pre(void *, void *module, void **);
void *wasmtime_instance_pre_instantiate(void *, void *context, instance *, void **trap);
bool wasmtime_instance_export_get(void *context, instance *, const char *, size_t, external *);
void *wasmtime_func_call(void *context, void *func, void *, size_t, void *, size_t, void **trap);

void *wasmtime_component_deserialize_file(void *engine, const char *, void **);
void *wasmtime_component_get_export_index(void *component, void *, const char *, size_t);
void *wasmtime_component_linker_new(void *engine);
void *wasmtime_component_linker_add_wasip2(void *);
void *wasmtime_component_linker_add_wasi_http(void *);
void wasmtime_context_set_wasi_http(void *context);
void *wasmtime_component_linker_root(void *);
void *wasmtime_component_linker_instance_add_instance(void *, const char *, size_t, void **);
void *wasmtime_component_linker_instance_add_func(void *, const char *, size_t, callback *, void *, void *);
void wasmtime_component_linker_instance_delete(void *);
void *wasmtime_component_linker_instantiate(void *, void *context, void *component, instance *);
bool wasmtime_component_instance_get_func(instance *, void *context, void *index, component_func *);
void *wasmtime_component_func_call(component_func *, void *context, value *, size_t, value *, size_t);
void wasmtime_component_val_delete(value *);

void wasm_byte_vec_new(bytes *, size_t, const char *);
void wasm_byte_vec_delete(bytes *);
void wasmtime_error_message(void *, bytes *);
bool wasmtime_error_exit_status(void *, int *);
void wasmtime_error_delete(void *);
