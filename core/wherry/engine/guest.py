"""One store, one instance, one call: what a command is.

The same for modules and components but for the calls that enter them. The synchronous calls here block their thread;
for WASI 0.3 the component's call becomes `component_func_call_async` and a loop over `call_future_poll`, with the same
store.
"""

from __future__ import annotations

import time
from ctypes import addressof, byref, c_uint64, c_void_p
from dataclasses import dataclass

from wherry.engine import capi, poll, preview1
from wherry.engine.code import Code
from wherry.engine.config import Engine
from wherry.engine.interrupt import Interrupt
from wherry.engine.traps import ending_of_error, ending_of_trap
from wherry.errors import StartError
from wherry.plan.ending import Ending, exited
from wherry.plan.model import Limits

TABLE_ELEMENTS = 10_000_000  # 80 MB of the host's memory, beside the guest's own limit
INSTANCES, TABLES, MEMORIES = 1000, 1000, 16

_VAL_RESULT = 19


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run took. cpu: seconds of its thread. memory: bytes of linear memory, 0 where it cannot be seen.
    fuel: 0 when it is not counted."""

    cpu: float = 0.0
    memory: int = 0
    fuel: int = 0


class Store:
    """A wasmtime_store_t under the plan's limits. It takes `wasi`, a wasi_config_t, over."""

    def __init__(self, engine: Engine, wasi: int, limits: Limits) -> None:
        self.pointer: int = capi.store_new(engine.pointer, None, None)
        self.context: int = capi.store_context(self.pointer)
        self._fuel = limits.fuel
        capi.store_limiter(self.pointer, limits.memory, TABLE_ELEMENTS, INSTANCES, TABLES, MEMORIES)
        # The epoch moves only when this guest shall end.
        capi.context_set_epoch_deadline(self.context, 1)
        if limits.fuel is not None:
            _check(capi.context_set_fuel(self.context, limits.fuel))
        _check(capi.context_set_wasi(self.context, wasi))

    def fuel_used(self) -> int:
        if self._fuel is None:
            return 0
        left = c_uint64()
        _check(capi.context_get_fuel(self.context, byref(left)))
        return self._fuel - left.value

    def close(self) -> None:
        capi.store_delete(self.pointer)


class Module:
    """A preview-1 module, entered at an exported function without parameters."""

    def __init__(self, engine: Engine, code: Code, interrupt: Interrupt) -> None:
        self._linker: int = capi.linker_new(engine.pointer)
        _check(capi.linker_define_wasi(self._linker))
        self._callbacks = preview1.define_exit(self._linker), poll.define(self._linker, lambda _context: interrupt)
        pre = c_void_p()
        _check_link(capi.linker_instantiate_pre(self._linker, code.pointer, byref(pre)))
        self._pre = pre
        self._instance = capi.Instance()

    def call(self, store: Store, entry: str) -> Ending:
        """Instantiate and run. Raises StartError when it does not come to running."""
        trap = c_void_p()
        error = capi.instance_pre_instantiate(self._pre, store.context, self._instance, byref(trap))
        if error or trap:
            raise _not_started(ending_of_error(error) if error else ending_of_trap(trap.value or 0))
        function = self._export(store, entry)
        error = capi.func_call(store.context, addressof(function) + capi.EXTERN_PAYLOAD, None, 0, None, 0, byref(trap))
        if error:
            return ending_of_error(error)
        return ending_of_trap(trap.value) if trap.value else exited(0)

    def memory(self, store: Store) -> int:
        """Bytes of the linear memory that WASI guests export."""
        export = self._export(store, "memory")
        if export.kind != capi.EXTERN_MEMORY:
            return 0
        return int(capi.memory_data_size(store.context, addressof(export) + capi.EXTERN_PAYLOAD))

    def close(self) -> None:
        capi.instance_pre_delete(self._pre)
        capi.linker_delete(self._linker)

    def _export(self, store: Store, name: str) -> capi.Extern:
        export, key = capi.Extern(), name.encode()
        capi.instance_export_get(store.context, self._instance, key, len(key), byref(export))
        return export


class Component:
    """A component that exports `wasi:cli/run`."""

    def __init__(self, engine: Engine, code: Code) -> None:
        self._code = code
        self._linker: int = capi.component_linker_new(engine.pointer)
        _check(capi.component_linker_add_wasip2(self._linker))

    def call(self, store: Store, entry: str) -> Ending:
        """Instantiate and run. Raises StartError when it does not come to running."""
        instance, function, result = capi.Instance(), capi.ComponentFunc(), capi.ComponentVal()
        if error := capi.component_linker_instantiate(self._linker, store.context, self._code.pointer, instance):
            raise _not_started(ending_of_error(error))
        if not capi.component_instance_get_func(instance, store.context, self._index(entry), function):
            raise StartError("unsupported", f"the component's {entry} has no function run")
        if error := capi.component_func_call(function, store.context, None, 0, result, 1):
            return ending_of_error(error)
        succeeded = result[0] & 0xFF == _VAL_RESULT and result[1] & 0xFF
        capi.component_val_delete(result)
        return exited(0 if succeeded else 1)

    def memory(self, _store: Store) -> int:
        """A component keeps its memories to itself."""
        return 0

    def close(self) -> None:
        capi.component_linker_delete(self._linker)

    def _index(self, entry: str) -> int | None:
        name = entry.encode()
        interface = capi.component_get_export_index(self._code.pointer, None, name, len(name))
        function: int | None = capi.component_get_export_index(self._code.pointer, interface, b"run", 3)
        return function


def run_once(engine: Engine, code: Code, entry: str, store: Store, interrupt: Interrupt) -> tuple[Ending, Usage]:
    """Run the guest to its end in this thread. Raises StartError."""
    guest = Component(engine, code) if code.kind == "component" else Module(engine, code, interrupt)
    before = time.thread_time()
    try:
        ending = interrupt.ending or guest.call(store, entry)
        usage = Usage(time.thread_time() - before, guest.memory(store), store.fuel_used())
    finally:
        guest.close()
    return interrupt.ending or ending, usage


def _check(error: int | None) -> None:
    if error:
        raise StartError("instantiate", capi.take_error(error))


def _check_link(error: int | None) -> None:
    if error:
        raise StartError("missing-import", capi.take_error(error))


def _not_started(ending: Ending) -> StartError:
    reason = "instantiate"
    if "memory limits" in ending.sentence or "memory minimum size" in ending.sentence:
        reason = "memory"
    elif "import" in ending.sentence and not ending.frames:
        reason = "missing-import"
    return StartError(reason, ending.sentence)
