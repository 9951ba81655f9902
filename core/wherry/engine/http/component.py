"""wasi:http components, composed with the adapter: one instance for each request (`../adapter/README.md`).

If the host says so, an instance serves more than one (docs/decisions/0007).
"""

from __future__ import annotations

import threading
from ctypes import Array, Structure, addressof, c_size_t, c_uint64, c_void_p
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING

from wherry.engine import capi, control
from wherry.engine.calls import Calls, Step
from wherry.engine.code import Code
from wherry.engine.config import Engine
from wherry.engine.http.cgi import Shape
from wherry.engine.http.control import (
    NO_BODY,
    STREAMED,
    WHOLE,
    parse_given,
    parse_head,
    parse_trailers,
    request_head,
    trailer_text,
)
from wherry.engine.http.exchange import Exchange, Outcome
from wherry.engine.http.head import Fields
from wherry.engine.http.memories import Memories
from wherry.engine.http.reply import ResponseHead
from wherry.engine.http.store import SLICE, Bench, Grants, fault
from wherry.errors import StartError
from wherry.plan.ending import exited

if TYPE_CHECKING:
    from wherry.engine.http.pool import Call

NO_VARIABLES = Shape(())

_WITH_TRAILERS, _UNANSWERED, _UNFINISHED = 1, 2, 3
_BROKEN = {_UNANSWERED: "the guest set no response", _UNFINISHED: "the guest dropped the body unfinished"}


class ComponentGuest:
    """Made before the workers are forked. authority: what to call a host that the request does not name.

    egress: port and secret of the worker's way out; the worker sets it, before it serves, if `outbound`.
    reuse: requests that an instance serves; one that sends requests serves one.
    """

    def __init__(  # noqa: PLR0913 - all that a request needs
        self,
        engine: Engine,
        code: Code,
        grants: Grants,
        memories: Memories | None,
        authority: str,
        *,
        outbound: bool,
        reuse: int = 1,
    ) -> None:
        self.engine = engine
        self.code = code
        self.grants = grants
        self.memories = memories
        self.authority = authority.encode()
        self.outbound = outbound
        self.egress: tuple[int, str] = (0, "")
        self.single = "what a component sends may outlast its request" if outbound else ""
        self.reuse = 1 if outbound else reuse
        self._kept: dict[bytes, ComponentCall] = {}
        self._here = threading.local()
        self.linker: int = capi.component_linker_new(engine.pointer)
        control.check(capi.component_linker_add_wasip2(self.linker))
        if outbound:
            control.check(capi.component_linker_add_wasi_http(self.linker))
        self._callbacks = control.define(
            self.linker, {b"respond": self._respond, b"trailers": self._ask_trailers, b"egress": self._ask_egress}
        )
        self.prepare, self.run, self.trailers = (self._export(name) for name in (b"prepare", b"run", b"trailers"))

    def new_call(self) -> Call:
        """Called by the thread that will run guests: a host import finds its exchange by its thread."""
        return self._new_call() if self.reuse == 1 else self._call_of_pipe

    def find_head(self, output: bytes | bytearray, given: bytes | None) -> tuple[ResponseHead, int] | None:
        return parse_head(output) if given is None else (parse_given(given), 0)

    def _call_of_pipe(self, exchange: Exchange) -> Outcome:
        """By whatever thread: an instance that is kept writes to one pipe, which one exchange has at a time."""
        assert exchange.stdout is not None  # noqa: S101 - narrows the type
        path = exchange.stdout.path
        call = self._kept.get(path)
        if call is None:
            call = self._kept[path] = self._new_call()
        return call(exchange)

    def _new_call(self) -> ComponentCall:
        lease = self.memories.lease() if self.memories else None
        return ComponentCall(self, Bench(self.grants, lease), self._here)

    def close(self) -> None:
        for call in self._kept.values():
            call.drop()
        for index in (self.prepare, self.run, self.trailers):
            capi.component_export_index_delete(index)
        capi.component_linker_delete(self.linker)
        self.code.close()
        self.engine.close()
        if self.memories:
            self.memories.close()

    def _export(self, name: bytes) -> int:
        index: int | None = capi.component_get_export_index(self.code.pointer, None, name, len(name))
        if not index:
            raise StartError("unsupported", f"the composed component exports no {name.decode()}")
        return index

    # The imports: each in the guest's thread, with addresses of its arguments and results

    def _respond(self, arguments: int, _results: int) -> None:
        exchange: Exchange = self._here.exchange
        exchange.give_head(control.text_at(arguments).decode().encode("latin-1", errors="replace"))

    def _ask_trailers(self, _arguments: int, results: int) -> None:
        exchange: Exchange = self._here.exchange
        while not exchange.complete:
            if exchange.cancelled:
                raise InterruptedError(exchange.cancelled)
            sleep(SLICE)
        control.put_text(results, trailer_text(exchange.trailers))

    def _ask_egress(self, _arguments: int, results: int) -> None:
        exchange: Exchange = self._here.exchange
        left = 0.0 if exchange.deadline == inf else max(exchange.deadline - monotonic(), 0.001)
        control.put_text(results, control.egress_text(*self.egress, left))


class ComponentCall:
    """A way to run the component, for one exchange at a time: a thread's, or a pipe's if instances are kept."""

    def __init__(self, guest: ComponentGuest, bench: Bench, here: threading.local) -> None:
        self._guest, self._bench, self._here = guest, bench, here
        self._instance, self._func = capi.Instance(), capi.ComponentFunc()
        self._argument, self._result = capi.ComponentText(), capi.ComponentVal()
        fresh = [*bench.opening, *self._instantiate()]
        self._calls = Calls([*fresh, *self._export(guest.prepare, takes=True), *self._export(guest.run)])
        self._trailers = Calls(self._export(guest.trailers))
        self._kept = len(fresh)  # calls that an instance which is there does not need
        self._returned = False  # the guest's code, as it should: its instance can be entered again
        self._left = 0  # requests that the open instance may still serve; 0: none is open

    def _instantiate(self) -> list[Step]:
        context, linker, code = self._bench.context, c_void_p(self._guest.linker), c_void_p(self._guest.code.pointer)
        sends = [Step(capi.context_set_wasi_http, (context,))] if self._guest.outbound else []
        return [*sends, Step(capi.component_linker_instantiate, (linker, context, code, _at(self._instance)))]

    def _export(self, index: int, *, takes: bool = False) -> list[Step]:
        """Find an export and call it. takes: the argument; else it gives the result."""
        context, function = self._bench.context, _at(self._func)
        given = (_at(self._argument), c_size_t(1)) if takes else (c_void_p(), c_size_t(0))
        result = (c_void_p(), c_size_t(0)) if takes else (_at(self._result), c_size_t(1))
        return [
            Step(capi.component_instance_get_func, (_at(self._instance), context, c_void_p(index), function)),
            Step(capi.component_func_call, (function, context, *given, *result)),
        ]

    def __call__(self, exchange: Exchange) -> Outcome:
        self._here.exchange, self._returned = exchange, False
        try:
            skip = self._enter(exchange)
            left, self._left = self._left - 1, 0  # none, unless this one ends well
            outcome = self._run(exchange, skip)
            outcome.fuel = self._bench.fuel_used()
            if self._returned and not exchange.cancelled:
                self._left = left
        finally:
            if self._left:
                self._bench.rest()
            else:
                self._bench.close()
        outcome.instances = int(skip < self._kept)
        return outcome

    def drop(self) -> None:
        """The instance that is kept, if there is one."""
        if self._left:
            self._left = 0
            self._bench.close()

    def _enter(self, exchange: Exchange) -> int:
        """A store for the exchange: how many calls it needs no more. A store has its stdin, if any, from the start."""
        has_stdin = exchange.stdin is not None or bool(exchange.body)
        if self._left and not has_stdin:
            self._bench.again(exchange)
            return self._kept
        self.drop()
        skip = self._bench.open(exchange, NO_VARIABLES, b"")
        self._left = 1 if has_stdin else self._guest.reuse
        return skip

    def _head(self, exchange: Exchange) -> bytes:
        authority = self._guest.authority
        if exchange.stdin is not None:
            return request_head(exchange.head, STREAMED, [], authority)
        mode = WHOLE if exchange.received or exchange.trailers else NO_BODY
        return request_head(exchange.head, mode, exchange.trailers, authority)

    def _run(self, exchange: Exchange, skip: int) -> Outcome:
        self._argument.show(self._head(exchange))
        self._result[0] = 0
        if failed := self._calls.make(skip):
            return Outcome(fault(self._calls, failed))
        code = self._result[1] & 0xFF
        if code == _WITH_TRAILERS:
            return self._with_trailers()
        self._returned = code not in _BROKEN
        return Outcome(exited(0), broken=_BROKEN.get(code, ""))

    def _with_trailers(self) -> Outcome:
        self._result[0] = 0
        if failed := self._trailers.make():
            return Outcome(fault(self._trailers, failed))
        result = addressof(self._result)
        trailers: Fields = parse_trailers(control.text_at(result))
        capi.component_val_delete(result)
        self._returned = True
        return Outcome(exited(0), trailers)


def _at(structure: Array[c_uint64] | Structure) -> c_void_p:
    return c_void_p(addressof(structure))
