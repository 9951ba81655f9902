"""Host functions of ours in the place of wasmtime's `wasi_snapshot_preview1`."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import byref, c_uint32, c_void_p

from wherry.engine import capi

Function = Callable[[int, int], None]
"""Called with a wasmtime_caller_t and the address of its i32 arguments, 16 bytes each; its result takes their place."""

EXIT = "proc_exit "
"""What a trap of our proc_exit says, before the code."""

_MODULE = b"wasi_snapshot_preview1"
_I32 = 0


class Exit(Exception):
    """The guest's own end, on its way to a trap."""


def define(linker: int, name: str, parameters: int, results: int, function: Function) -> object:
    """Shadow one function, all of i32; what it raises becomes a trap. Keep the result while the linker is used."""

    def guarded(_environment: int, caller: int, values: int, _count: int) -> int | None:
        try:
            function(caller, values)
        except Exception as error:  # nothing may unwind through the guest's frames
            text = str(error).encode()
            return int(capi.trap_new(text, len(text)))
        return None

    callback = capi.HostCall(guarded)
    key, kind = name.encode(), _signature(parameters, results)
    capi.linker_allow_shadowing(linker, True)
    error = capi.linker_define_func_unchecked(linker, _MODULE, len(_MODULE), key, len(key), kind, callback, None, None)
    capi.functype_delete(kind)
    if error:
        raise RuntimeError(capi.take_error(error))
    return callback


def define_exit(linker: int) -> object:
    """Replace proc_exit, since wasmtime's takes no code above 125. `traps` knows the trap that it makes."""
    return define(linker, "proc_exit", parameters=1, results=0, function=_exit)


def _exit(_caller: int, values: int) -> None:
    raise Exit(f"{EXIT}{c_uint32.from_address(values).value}")


def _signature(parameters: int, results: int) -> int:
    vectors = []
    for count in (parameters, results):
        kinds = (c_void_p * count)(*(capi.valtype_new(_I32) for _ in range(count)))
        vector = capi.Bytes()
        capi.valtype_vec_new(byref(vector), count, kinds)
        vectors.append(vector)
    kind: int = capi.functype_new(*map(byref, vectors))
    return kind
