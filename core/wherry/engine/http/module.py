"""Preview-1 modules as CGI programs: `_start` once for each request, in an instance of its own."""

from __future__ import annotations

import threading
from ctypes import addressof, byref, c_void_p
from time import thread_time
from typing import TYPE_CHECKING

from wherry.engine import capi, poll
from wherry.engine.code import Code
from wherry.engine.config import Engine
from wherry.engine.http.cgi import CONSTANT, environment, parse_head
from wherry.engine.http.exchange import Exchange, Outcome
from wherry.engine.http.prefault import Prefault
from wherry.engine.http.reply import ResponseHead
from wherry.engine.http.store import Bench, Grants
from wherry.engine.traps import ending_of_error, ending_of_trap
from wherry.errors import StartError
from wherry.plan.ending import Ending, exited

if TYPE_CHECKING:
    from wherry.engine.http.pool import Call

_START = b"_start"


class ModuleGuest:
    """Made before the workers are forked. port: where clients find us, for SERVER_PORT."""

    outbound = False
    egress = (0, "")
    single = "a module's _start runs once"

    def __init__(self, engine: Engine, code: Code, grants: Grants, prefault: Prefault, port: int) -> None:
        self.engine = engine
        self.code = code
        self.grants = grants
        self.prefault = prefault
        self.port = b"%d" % port
        self._here = threading.local()
        self.pre = self._instance_pre()

    def new_call(self) -> Call:
        """Called by the thread that will run guests: a sleeping guest finds its bench by its thread."""
        bench = self._here.bench = Bench(self.grants, self.prefault, CONSTANT)
        return ModuleCall(self, bench)

    def find_head(self, output: bytes | bytearray, _given: bytes | None) -> tuple[ResponseHead, int] | None:
        return parse_head(output)

    def close(self) -> None:
        self.prefault.close()
        capi.instance_pre_delete(self.pre)
        self.code.close()
        self.engine.close()

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
        self._pre, self._port, self._bench = guest.pre, guest.port, bench
        self._instance, self._extern, self._trap = capi.Instance(), capi.Extern(), c_void_p()
        self._instance_at, self._trap_at = addressof(self._instance), addressof(self._trap)
        self._extern_at = addressof(self._extern)
        self._func_at = self._extern_at + capi.EXTERN_PAYLOAD

    def __call__(self, exchange: Exchange) -> Outcome:
        began = thread_time()
        length = exchange.received if exchange.complete else exchange.head.length
        names, values = environment(exchange.head, exchange.connection.peer, self._port, length)
        bench = self._bench
        bench.open(exchange, names, values)
        try:
            ending = self._run(bench.context)
            fuel = bench.fuel_used()
        finally:
            bench.close()
        return Outcome(ending, seconds=thread_time() - began, fuel=fuel)

    def _run(self, context: int) -> Ending:
        self._trap.value = None
        if error := capi.instance_pre_instantiate(self._pre, context, self._instance_at, self._trap_at):
            return ending_of_error(error)
        if self._trap.value:
            return ending_of_trap(self._trap.value)
        if not capi.instance_export_get(context, self._instance_at, _START, len(_START), self._extern_at):
            raise StartError("unsupported", "the module exports no _start")
        if error := capi.func_call(context, self._func_at, None, 0, None, 0, self._trap_at):
            return ending_of_error(error)
        if self._trap.value:
            return ending_of_trap(self._trap.value)
        return exited(0)
