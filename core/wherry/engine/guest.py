"""One store, one instance, one call: what a command is.

The same for modules and components but for the calls that enter them. The synchronous calls here block their thread;
for WASI 0.3 the component's call becomes `component_func_call_async` and a loop over `call_future_poll`, with the same
store.
"""

from __future__ import annotations

import time
from ctypes import addressof, byref, c_void_p
from dataclasses import dataclass

from wherry.engine import capi, control, hugepages
from wherry.engine.code import Code
from wherry.engine.interrupt import Interrupt
from wherry.engine.machine import Machine
from wherry.engine.metering import resident_bytes
from wherry.engine.store import Store
from wherry.engine.traps import ending_of_error, ending_of_trap
from wherry.errors import StartError
from wherry.plan.ending import Ending, exited

_VAL_RESULT = 19
_TOO_MUCH_MEMORY = ("memory limits", "memory minimum size", "resource limit exceeded: memory")


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run took.

    cpu: seconds of its thread. memory: bytes of linear memory, 0 where it cannot be seen. resident: bytes of this
    process while the guest was still there, as `metering` counts them. fuel: 0 when not counted.
    """

    cpu: float = 0.0
    memory: int = 0
    resident: int = 0
    fuel: int = 0


@dataclass(frozen=True, slots=True)
class WayOut:
    """The egress proxy of one run. until: the run's deadline in time.monotonic(), None for none."""

    port: int
    secret: str
    until: float | None

    def text(self) -> bytes:
        left = 0.0 if self.until is None else max(self.until - time.monotonic(), 0.001)
        return control.egress_text(self.port, self.secret, left)


class Module:
    """A preview-1 module, entered at an exported function without parameters."""

    def __init__(self, machine: Machine, code: Code) -> None:
        pre = c_void_p()
        if error := capi.linker_instantiate_pre(machine.modules(), code.pointer, byref(pre)):
            raise StartError("missing-import", capi.take_error(error))
        self._pre = pre
        self._instance = capi.Instance()
        self._instantiated = False

    def call(self, store: Store, entry: str) -> Ending:
        """Instantiate and run. Raises StartError when it does not come to running."""
        trap = c_void_p()
        error = capi.instance_pre_instantiate(self._pre, store.context, self._instance, byref(trap))
        if error or trap:
            return _before_entry(ending_of_error(error) if error else ending_of_trap(trap.value or 0))
        self._instantiated = True
        self._prefer_huge_pages(store)
        function = self._export(store, entry)
        error = capi.func_call(store.context, _value(function), None, 0, None, 0, byref(trap))
        if error:
            return ending_of_error(error)
        return ending_of_trap(trap.value) if trap.value else exited(0)

    def memory(self, store: Store) -> int:
        """Bytes of the linear memory that WASI guests export."""
        memory = self._memory(store) if self._instantiated else None
        return int(capi.memory_data_size(store.context, _value(memory))) if memory else 0

    def _memory(self, store: Store) -> capi.Extern | None:
        export = self._export(store, "memory")
        return export if export.kind == capi.EXTERN_MEMORY else None

    def _prefer_huge_pages(self, store: Store) -> None:
        if memory := self._memory(store):
            start: int = capi.memory_data(store.context, _value(memory))
            hugepages.prefer(start, self.memory(store), store.most)

    def close(self) -> None:
        capi.instance_pre_delete(self._pre)

    def _export(self, store: Store, name: str) -> capi.Extern:
        export, key = capi.Extern(), name.encode()
        capi.instance_export_get(store.context, self._instance, key, len(key), byref(export))
        return export


class Component:
    """A component that exports `wasi:cli/run`. way_out: of its outbound requests, if it makes any."""

    def __init__(self, machine: Machine, code: Code, way_out: WayOut | None) -> None:
        self._code = code
        self._way_out = way_out
        self._linker = machine.components()
        if way_out:
            control.check(capi.component_linker_add_wasi_http(self._linker))
            self._callbacks = control.define(self._linker, {b"egress": self._ask_egress})

    def call(self, store: Store, entry: str) -> Ending:
        """Instantiate and run. Raises StartError when it does not come to running."""
        instance, function, result = capi.Instance(), capi.ComponentFunc(), capi.ComponentVal()
        if self._way_out:
            capi.context_set_wasi_http(store.context)
        if error := capi.component_linker_instantiate(self._linker, store.context, self._code.pointer, instance):
            return _before_entry(ending_of_error(error))
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
        """Nothing of its own is left."""

    def _ask_egress(self, _arguments: int, results: int) -> None:
        assert self._way_out  # noqa: S101 - the import is defined only with one
        control.put_text(results, self._way_out.text())

    def _index(self, entry: str) -> int | None:
        name = entry.encode()
        interface = capi.component_get_export_index(self._code.pointer, None, name, len(name))
        function: int | None = capi.component_get_export_index(self._code.pointer, interface, b"run", 3)
        return function


def _value(export: capi.Extern) -> int:
    """Where its function or memory is."""
    return addressof(export) + capi.EXTERN_PAYLOAD


def run_once(guest: Module | Component, store: Store, entry: str, interrupt: Interrupt) -> tuple[Ending, Usage]:
    """Run the guest to its end in this thread, and close it. Raises StartError."""
    before = time.thread_time()
    try:
        ending = interrupt.ending or guest.call(store, entry)
        cpu = time.thread_time() - before
        usage = Usage(cpu, guest.memory(store), resident_bytes(), store.fuel_used())
    finally:
        guest.close()
    return interrupt.ending or ending, usage


def _before_entry(ending: Ending) -> Ending:
    """The ending of a guest that exits, or reaches a limit, in a start function. Raises StartError for all else."""
    if ending.category != "trap":
        return ending
    reason = "instantiate"
    if any(mark in ending.sentence for mark in _TOO_MUCH_MEMORY):
        reason = "memory"
    elif "import" in ending.sentence and not ending.frames:
        reason = "missing-import"
    raise StartError(reason, ending.sentence)
