"""wasi:http components: composed with the adapter, `run` once for each request, in an instance of its own."""

from __future__ import annotations

import threading
from ctypes import addressof, byref, c_uint64, c_void_p, memset, string_at
from time import sleep, thread_time
from typing import TYPE_CHECKING

from wherry.engine import capi
from wherry.engine.code import Code
from wherry.engine.config import Engine
from wherry.engine.http.control import (
    NO_BODY,
    STREAMED,
    WHOLE,
    parse_head,
    parse_trailers,
    request_head,
    trailer_text,
)
from wherry.engine.http.exchange import Exchange, Outcome
from wherry.engine.http.head import Fields
from wherry.engine.http.store import SLICE, Bench, Grants
from wherry.engine.traps import ending_of_error
from wherry.errors import StartError
from wherry.plan.ending import Ending, exited

if TYPE_CHECKING:
    from wherry.engine.http.pool import Call

ENTRY = b"run"
CONTROL = b"wherry:host/control"
TRAILERS = b"trailers"

_STRING = 12  # wasmtime_component_valkind_t
_VAL_SIZE = 32


class ComponentGuest:
    """Made before the workers are forked. authority: what to call a host that the request does not name."""

    parse = staticmethod(parse_head)

    def __init__(self, engine: Engine, code: Code, grants: Grants, authority: str, *, outbound: bool) -> None:
        self.engine = engine
        self.code = code
        self.grants = grants
        self.authority = authority.encode()
        self.outbound = outbound
        self._here = threading.local()
        self._trailers = capi.ComponentHostCall(self._ask_trailers)
        self.linker: int = capi.component_linker_new(engine.pointer)
        _check(capi.component_linker_add_wasip2(self.linker))
        if outbound:
            _check(capi.component_linker_add_wasi_http(self.linker))
        self._define_control()
        self.entry = capi.component_get_export_index(code.pointer, None, ENTRY, len(ENTRY))
        if not self.entry:
            raise StartError("unsupported", f"the composed component exports no {ENTRY.decode()}")

    def new_call(self) -> Call:
        """Called by the thread that will run guests: the host import finds its exchange by its thread."""
        return ComponentCall(self, Bench(self.grants), self._here)

    def close(self) -> None:
        capi.component_export_index_delete(self.entry)
        capi.component_linker_delete(self.linker)
        self.code.close()
        self.engine.close()

    def _define_control(self) -> None:
        root, instance = capi.component_linker_root(self.linker), c_void_p()
        _check(capi.component_linker_instance_add_instance(root, CONTROL, len(CONTROL), byref(instance)))
        _check(capi.component_linker_instance_add_func(instance, TRAILERS, len(TRAILERS), self._trailers, None, None))
        capi.component_linker_instance_delete(instance)
        capi.component_linker_instance_delete(root)

    def _ask_trailers(
        self, _environment: int, _context: int, _type: int, _arguments: int, _n: int, results: int, _m: int
    ) -> int | None:
        """The request's trailers, once its body has ended."""
        exchange: Exchange = self._here.exchange
        while not exchange.complete and not exchange.cancelled:
            sleep(SLICE)
        if exchange.cancelled:
            error: int = capi.error_new(b"interrupted")
            return error
        _put_string(results, trailer_text(exchange.trailers))
        return None


class ComponentCall:
    """A thread's way to run the component."""

    def __init__(self, guest: ComponentGuest, bench: Bench, here: threading.local) -> None:
        self._linker, self._code, self._entry = guest.linker, guest.code.pointer, guest.entry
        self._authority, self._bench, self._here = guest.authority, bench, here
        self._instance, self._func = capi.Instance(), capi.ComponentFunc()
        self._argument, self._result = capi.ComponentVal(), capi.ComponentVal()
        self._instance_at, self._func_at = addressof(self._instance), addressof(self._func)
        self._argument_at, self._result_at = addressof(self._argument), addressof(self._result)

    def __call__(self, exchange: Exchange) -> Outcome:
        began = thread_time()
        self._here.exchange = exchange
        bench = self._bench
        bench.open(exchange, (), ())
        try:
            ending, trailers = self._run(bench.context, self._head(exchange))
            fuel = bench.fuel_used()
        finally:
            bench.close()
        return Outcome(ending, trailers, thread_time() - began, fuel)

    def _head(self, exchange: Exchange) -> bytes:
        if exchange.stdin is not None:
            return request_head(exchange.head, STREAMED, [], self._authority)
        mode = WHOLE if exchange.received or exchange.trailers else NO_BODY
        return request_head(exchange.head, mode, exchange.trailers, self._authority)

    def _run(self, context: int, head: bytes) -> tuple[Ending, Fields]:
        if error := capi.component_linker_instantiate(self._linker, context, self._code, self._instance_at):
            return ending_of_error(error), []
        capi.component_instance_get_func(self._instance_at, context, self._entry, self._func_at)
        _put_string(self._argument_at, head)
        memset(self._result_at, 0, _VAL_SIZE)
        error = capi.component_func_call(self._func_at, context, self._argument_at, 1, self._result_at, 1)
        capi.component_val_delete(self._argument_at)
        if error:
            return ending_of_error(error), []
        result = string_at(self._result[2], self._result[1])
        capi.component_val_delete(self._result_at)
        return exited(0), parse_trailers(result)


def _put_string(at: int, text: bytes) -> None:
    """Make the component value at `at` this UTF-8 text; it owns a copy."""
    c_uint64.from_address(at).value = _STRING
    capi.byte_vec_new(at + 8, len(text), text)


def _check(error: int | None) -> None:
    if error:
        raise StartError("instantiate", capi.take_error(error))
