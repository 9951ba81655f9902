"""Preview-1 modules as CGI programs: `_start` once for each request, in an instance of its own."""

from __future__ import annotations

import threading
from ctypes import addressof, byref, c_char_p, c_size_t, c_void_p
from typing import TYPE_CHECKING

from wherry.engine import capi, poll
from wherry.engine.calls import Calls, Step
from wherry.engine.code import Code
from wherry.engine.config import Engine
from wherry.engine.http.cgi import constant, environment, parse_head
from wherry.engine.http.exchange import Exchange, Outcome
from wherry.engine.http.memories import Memories
from wherry.engine.http.reply import ResponseHead
from wherry.engine.http.store import Bench, Grants, fault
from wherry.engine.routines import itself
from wherry.engine.traps import ending_of_trap
from wherry.errors import StartError
from wherry.plan.ending import Ending, exited

if TYPE_CHECKING:
    from wherry.engine.http.pool import Call

_START = b"_start"
_WELL = exited(0)


class ModuleGuest:
    """Made before the workers are forked. port: where clients find us, for SERVER_PORT."""

    outbound = False
    egress = (0, "")
    single = "a module's _start runs once"

    def __init__(self, engine: Engine, code: Code, grants: Grants, memories: Memories | None, port: int) -> None:
        self.engine = engine
        self.code = code
        self.grants = grants
        self.memories = memories
        self.constant = constant(port)
        self._here = threading.local()
        self.pre = self._instance_pre()

    def new_call(self) -> Call:
        """Called by the thread that will run guests: a sleeping guest finds its bench by its thread."""
        lease = self.memories.lease() if self.memories else None
        bench = self._here.bench = Bench(self.grants, lease, self.constant)
        return ModuleCall(self, bench)

    def find_head(self, output: bytes | bytearray, _given: bytes | None) -> tuple[ResponseHead, int] | None:
        return parse_head(output)

    def close(self) -> None:
        capi.instance_pre_delete(self.pre)
        self.code.close()
        self.engine.close()
        if self.memories:
            self.memories.close()

    def _instance_pre(self) -> int:
        linker = capi.linker_new(self.engine.pointer)
        try:
            if error := capi.linker_define_wasi(linker):
                raise StartError("instantiate", capi.take_error(error))
            self._poll = poll.define(linker, self._sleeper)
            pre = c_void_p()
            if error := capi.linker_instantiate_pre(linker, self.code.pointer, byref(pre)):
                raise StartError("missing-import", capi.take_error(error))
            return pre.value or 0
        finally:
            capi.linker_delete(linker)

    def _sleeper(self, _context: int) -> poll.Sleeper:
        bench: Bench = self._here.bench
        return bench


class ModuleCall:
    """A thread's way to run the module."""

    def __init__(self, guest: ModuleGuest, bench: Bench) -> None:
        self._bench = bench
        self._instance, self._start, self._trap = capi.Instance(), capi.Extern(), c_void_p()
        self._calls = Calls([*bench.opening, *self._run(guest.pre, bench.context), *bench.closing])

    def _run(self, pre: int, context: c_void_p) -> list[Step]:
        instance, start = c_void_p(addressof(self._instance)), c_void_p(addressof(self._start))
        function, trap_at = c_void_p(addressof(self._start) + capi.EXTERN_PAYLOAD), c_void_p(addressof(self._trap))
        none, null = c_size_t(0), c_void_p()
        return [
            Step(capi.instance_pre_instantiate, (c_void_p(pre), context, instance, trap_at)),
            Step(itself, (self._trap,)),
            Step(capi.instance_export_get, (context, instance, c_char_p(_START), c_size_t(len(_START)), start)),
            Step(capi.func_call, (context, function, null, none, null, none, trap_at)),
            Step(itself, (self._trap,)),
        ]

    def __call__(self, exchange: Exchange) -> Outcome:
        length = exchange.received if exchange.complete else exchange.head.length
        shape, values = environment(exchange.head, exchange.connection.peer, length)
        bench = self._bench
        try:
            failed = self._calls.make(bench.open(exchange, shape, values))
            outcome = Outcome(self._ending(failed) if failed else _WELL)
            outcome.fuel = bench.fuel_used()
            return outcome
        finally:
            bench.close()

    def _ending(self, failed: Step) -> Ending:
        if failed.function is itself:
            trap, self._trap.value = self._calls.take_error(), None
            return ending_of_trap(trap)
        return fault(self._calls, failed)
