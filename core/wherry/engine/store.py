"""A command's store: one guest's memory, tables, fuel and WASI, under the plan's limits."""

from __future__ import annotations

from ctypes import byref, c_uint64

from wherry.engine import capi
from wherry.engine.config import Engine
from wherry.engine.control import check
from wherry.plan.model import Limits

TABLE_ELEMENTS = 10_000_000  # 80 MB of the host's memory, beside the guest's own limit
INSTANCES, TABLES, MEMORIES = 1000, 1000, 16


class Store:
    """A wasmtime_store_t under the plan's limits. It takes `wasi`, a wasi_config_t, over. most: bytes of a memory."""

    def __init__(self, engine: Engine, wasi: int, limits: Limits) -> None:
        self.pointer: int = capi.store_new(engine.pointer, None, None)
        self.context: int = capi.store_context(self.pointer)
        self._fuel, self.most = limits.fuel, limits.memory
        capi.store_limiter(self.pointer, limits.memory, TABLE_ELEMENTS, INSTANCES, TABLES, MEMORIES)
        # The epoch moves only when this guest shall end.
        capi.context_set_epoch_deadline(self.context, 1)
        if limits.fuel is not None:
            check(capi.context_set_fuel(self.context, limits.fuel))
        check(capi.context_set_wasi(self.context, wasi))

    def fuel_used(self) -> int:
        if self._fuel is None:
            return 0
        left = c_uint64()
        check(capi.context_get_fuel(self.context, byref(left)))
        return self._fuel - left.value

    def close(self) -> None:
        capi.store_delete(self.pointer)
