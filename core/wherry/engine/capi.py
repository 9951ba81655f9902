"""The wasmtime C API: every function that we call, declared once.

We call the library that the `wasmtime` wheel brings, without importing its Python package: that spares 16 ms of start
and 20 µs a call. Names are those of `wasmtime.h` less the prefix `wasmtime_`. Pointers travel as plain integers; None
is NULL.

Short calls keep the GIL (PyDLL): giving it up costs more than they do. Calls that compile, run guest code or may block
give it up (CDLL). A call that may call back into Python is safe either way.

Traps of this API: the library drops what a result slot held before, so **slots are zeroed first**; an error or trap
that is returned is ours to delete; what is passed to `context_set_wasi` is no longer ours; a panic of the library
aborts the process.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from ctypes import c_bool, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VERSION = "50.0.1"
"""The version whose ABI this table follows; pyproject.toml pins it and a test compares all three."""

ERROR = c_void_p
"""What most functions return: None for success, else an error that must be deleted."""

P = c_void_p


def _library() -> Path:
    spec = find_spec("wasmtime")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the engine needs the package wasmtime", name="wasmtime")
    return Path(spec.submodule_search_locations[0]) / f"linux-{os.uname().machine}" / "_libwasmtime.so"


LIBRARY = _library()
_quick = ctypes.PyDLL(os.fspath(LIBRARY))
_slow = ctypes.CDLL(os.fspath(LIBRARY))


def _declare(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    function = library[name]
    function.restype, function.argtypes = result, arguments
    return function


def quick(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function that returns within microseconds: called with the GIL held."""
    return _declare(_quick, name, result, *arguments)


def slow(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function that compiles, runs guest code or may block: called without the GIL."""
    return _declare(_slow, name, result, *arguments)


class Bytes(ctypes.Structure):
    """wasm_byte_vec_t: size and address."""

    _fields_ = (("size", c_size_t), ("data", c_void_p))
    size: int
    data: int | None


class Extern(ctypes.Structure):
    """wasmtime_extern_t: a kind, then a function, memory, … by value."""

    _fields_ = (("kind", c_uint8), ("of", c_uint64 * 3))


EXTERN_MEMORY = 3
EXTERN_PAYLOAD = 8  # offset of `of` in an Extern

Instance = c_uint64 * 2  # wasmtime_instance_t and wasmtime_component_instance_t
ComponentFunc = c_uint64 * 4  # wasmtime_component_func_t
ComponentVal = c_uint64 * 4  # wasmtime_component_val_t: a kind in the first byte, its value from byte 8

COMPONENT_STRING = 12  # wasmtime_component_valkind_t


class ComponentText(ctypes.Structure):
    """A wasmtime_component_val_t that shows a text of ours to a call, which copies it: never deleted."""

    _fields_ = (("kind", c_uint64), ("size", c_size_t), ("data", c_char_p), ("rest", c_uint64))

    def show(self, text: bytes) -> None:
        """text: UTF-8."""
        self.kind, self.size, self.data = COMPONENT_STRING, len(text), text


HostCall = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_size_t)
"""wasmtime_func_unchecked_callback_t: (environment, caller, raw values of 16 bytes, their count) → trap."""

ComponentHostCall = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
"""wasmtime_component_func_callback_t: (environment, context, type, arguments, n, results, m) → error."""

DeadlineCall = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, ctypes.POINTER(c_uint64), ctypes.POINTER(c_uint8))
"""(context, data, ticks to go on for, kind of update) → error. Returning None without an update goes on for `ticks`."""


class LinearMemory(ctypes.Structure):
    """wasmtime_linear_memory_t: what its functions are given, where its bytes are, how it grows, and its end."""

    _fields_ = (("environment", c_void_p), ("get", c_void_p), ("grow", c_void_p), ("end", c_void_p))
    environment: int
    get: int
    grow: int
    end: int


NewMemory = ctypes.CFUNCTYPE(
    c_void_p, c_void_p, c_void_p, c_size_t, c_size_t, c_size_t, c_size_t, ctypes.POINTER(LinearMemory)
)
"""(environment, type, minimum, maximum, reserved, guard, memory to fill in) → error. Sizes are bytes."""

GrowMemory = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_size_t)
"""(environment of a memory, bytes that it shall have) → error: the guest's memory.grow gives -1."""


class MemoryCreator(ctypes.Structure):
    """wasmtime_memory_creator_t. The engine keeps a copy; the callback must outlive the engine."""

    _fields_ = (("environment", c_void_p), ("new", NewMemory), ("end", c_void_p))


# Configuration and engine
config_new = quick("wasm_config_new", P)
config_epoch_interruption = quick("wasmtime_config_epoch_interruption_set", None, P, c_bool)
config_consume_fuel = quick("wasmtime_config_consume_fuel_set", None, P, c_bool)
config_concurrency_support = quick("wasmtime_config_concurrency_support_set", None, P, c_bool)
config_host_memory_creator = quick("wasmtime_config_host_memory_creator_set", None, P, P)
pooling_strategy_set = quick("wasmtime_pooling_allocation_strategy_set", None, P, P)
pooling_config_new = quick("wasmtime_pooling_allocation_config_new", P)
pooling_config_delete = quick("wasmtime_pooling_allocation_config_delete", None, P)
engine_new_with_config = slow("wasm_engine_new_with_config", P, P)
engine_delete = slow("wasm_engine_delete", None, P)
engine_increment_epoch = quick("wasmtime_engine_increment_epoch", None, P)

# Code
module_new = slow("wasmtime_module_new", ERROR, P, c_char_p, c_size_t, P)
module_serialize = slow("wasmtime_module_serialize", ERROR, P, P)
module_deserialize_file = slow("wasmtime_module_deserialize_file", ERROR, P, c_char_p, P)
module_delete = slow("wasmtime_module_delete", None, P)
component_new = slow("wasmtime_component_new", ERROR, P, c_char_p, c_size_t, P)
component_serialize = slow("wasmtime_component_serialize", ERROR, P, P)
component_deserialize_file = slow("wasmtime_component_deserialize_file", ERROR, P, c_char_p, P)
component_delete = slow("wasmtime_component_delete", None, P)
component_get_export_index = quick("wasmtime_component_get_export_index", P, P, P, c_char_p, c_size_t)
component_export_index_delete = quick("wasmtime_component_export_index_delete", None, P)

# Stores
store_new = quick("wasmtime_store_new", P, P, P, P)
store_context = quick("wasmtime_store_context", P, P)
store_delete = slow("wasmtime_store_delete", None, P)
store_limiter = quick("wasmtime_store_limiter", None, P, c_int64, c_int64, c_int64, c_int64, c_int64)
store_epoch_deadline_callback = quick("wasmtime_store_epoch_deadline_callback", None, P, DeadlineCall, P, P)
context_set_epoch_deadline = quick("wasmtime_context_set_epoch_deadline", None, P, c_uint64)
context_set_fuel = quick("wasmtime_context_set_fuel", ERROR, P, c_uint64)
context_get_fuel = quick("wasmtime_context_get_fuel", ERROR, P, P)
context_set_wasi = quick("wasmtime_context_set_wasi", ERROR, P, P)
context_set_wasi_http = quick("wasmtime_context_set_wasi_http", None, P)

# WASI configuration
wasi_config_new = quick("wasi_config_new", P)
wasi_config_delete = quick("wasi_config_delete", None, P)
wasi_config_set_argv = quick("wasi_config_set_argv", c_bool, P, c_size_t, P)
wasi_config_set_env = quick("wasi_config_set_env", c_bool, P, c_size_t, P, P)
wasi_config_preopen_dir = quick("wasi_config_preopen_dir", c_bool, P, c_char_p, c_char_p, c_bool)
wasi_config_inherit_stdin = quick("wasi_config_inherit_stdin", None, P)
wasi_config_inherit_stdout = quick("wasi_config_inherit_stdout", None, P)
wasi_config_inherit_stderr = quick("wasi_config_inherit_stderr", None, P)
wasi_config_set_stdin_file = quick("wasi_config_set_stdin_file", c_bool, P, c_char_p)
wasi_config_set_stdin_bytes = quick("wasi_config_set_stdin_bytes", None, P, P)
wasi_config_set_stdout_file = quick("wasi_config_set_stdout_file", c_bool, P, c_char_p)
wasi_config_set_stderr_file = quick("wasi_config_set_stderr_file", c_bool, P, c_char_p)

# Core modules
linker_new = quick("wasmtime_linker_new", P, P)
linker_delete = quick("wasmtime_linker_delete", None, P)
linker_allow_shadowing = quick("wasmtime_linker_allow_shadowing", None, P, c_bool)
linker_define_wasi = quick("wasmtime_linker_define_wasi", ERROR, P)
linker_define_func_unchecked = quick(
    "wasmtime_linker_define_func_unchecked", ERROR, P, c_char_p, c_size_t, c_char_p, c_size_t, P, HostCall, P, P
)
linker_instantiate_pre = quick("wasmtime_linker_instantiate_pre", ERROR, P, P, P)
instance_pre_instantiate = slow("wasmtime_instance_pre_instantiate", ERROR, P, P, P, P)
instance_pre_delete = quick("wasmtime_instance_pre_delete", None, P)
instance_export_get = quick("wasmtime_instance_export_get", c_bool, P, P, c_char_p, c_size_t, P)
func_call = slow("wasmtime_func_call", ERROR, P, P, P, c_size_t, P, c_size_t, P)
caller_export_get = quick("wasmtime_caller_export_get", c_bool, P, c_char_p, c_size_t, P)
caller_context = quick("wasmtime_caller_context", P, P)
memory_data = quick("wasmtime_memory_data", P, P, P)
memory_data_size = quick("wasmtime_memory_data_size", c_size_t, P, P)
valtype_new = quick("wasm_valtype_new", P, c_uint8)
valtype_vec_new = quick("wasm_valtype_vec_new", None, P, c_size_t, P)
functype_new = quick("wasm_functype_new", P, P, P)
functype_delete = quick("wasm_functype_delete", None, P)

# Components
component_linker_new = quick("wasmtime_component_linker_new", P, P)
component_linker_delete = quick("wasmtime_component_linker_delete", None, P)
component_linker_add_wasip2 = quick("wasmtime_component_linker_add_wasip2", ERROR, P)
component_linker_add_wasi_http = quick("wasmtime_component_linker_add_wasi_http", ERROR, P)
component_linker_root = quick("wasmtime_component_linker_root", P, P)
component_linker_instance_add_instance = quick(
    "wasmtime_component_linker_instance_add_instance", ERROR, P, c_char_p, c_size_t, P
)
component_linker_instance_add_func = quick(
    "wasmtime_component_linker_instance_add_func", ERROR, P, c_char_p, c_size_t, ComponentHostCall, P, P
)
component_linker_instance_delete = quick("wasmtime_component_linker_instance_delete", None, P)
component_linker_instantiate = slow("wasmtime_component_linker_instantiate", ERROR, P, P, P, P)
component_instance_get_func = quick("wasmtime_component_instance_get_func", c_bool, P, P, P, P)
component_func_call = slow("wasmtime_component_func_call", ERROR, P, P, P, c_size_t, P, c_size_t)
component_val_delete = quick("wasmtime_component_val_delete", None, P)

# Errors and traps; their texts hold the backtrace
byte_vec_new = quick("wasm_byte_vec_new", None, P, c_size_t, c_char_p)
byte_vec_delete = quick("wasm_byte_vec_delete", None, P)
error_new = quick("wasmtime_error_new", ERROR, c_char_p)
error_delete = quick("wasmtime_error_delete", None, P)
error_message = slow("wasmtime_error_message", None, P, P)
error_exit_status = quick("wasmtime_error_exit_status", c_bool, P, ctypes.POINTER(c_int))
trap_new = quick("wasmtime_trap_new", P, c_char_p, c_size_t)
trap_delete = quick("wasm_trap_delete", None, P)
trap_message = slow("wasm_trap_message", None, P, P)

POOLING_TUNABLES: dict[str, Callable[..., Any]] = {
    name: quick(f"wasmtime_pooling_allocation_config_{name}_set", None, P, kind)
    for name, kind in {
        "max_unused_warm_slots": c_uint32,
        "linear_memory_keep_resident": c_size_t,
        "table_keep_resident": c_size_t,
        "total_component_instances": c_uint32,
        "max_component_instance_size": c_size_t,
        "max_core_instances_per_component": c_uint32,
        "max_memories_per_component": c_uint32,
        "max_tables_per_component": c_uint32,
        "total_core_instances": c_uint32,
        "max_core_instance_size": c_size_t,
        "total_memories": c_uint32,
        "max_memory_size": c_size_t,
        "total_tables": c_uint32,
        "table_elements": c_size_t,
        "total_stacks": c_uint32,
        "total_gc_heaps": c_uint32,
    }.items()
}


def take_error(error: int) -> str:
    """The text of an error, which is deleted."""
    text = Bytes()
    error_message(error, ctypes.byref(text))
    error_delete(error)
    return take_bytes(text).decode(errors="replace")


def take_bytes(vector: Bytes) -> bytes:
    """The content of a byte vector, which is deleted."""
    content = ctypes.string_at(vector.data or 0, vector.size) if vector.size else b""
    byte_vec_delete(ctypes.byref(vector))
    return content
