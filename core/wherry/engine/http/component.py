"""wasi:http components, composed with the adapter: one instance for each request (`../adapter/README.md`).

If the host says so, an instance serves more than one (docs/decisions/0007).
"""

from __future__ import annotations

import threading
from ctypes import addressof, memset
from math import inf
from time import monotonic, sleep, thread_time
from typing import TYPE_CHECKING, Any

from wherry.engine import capi, control
from wherry.engine.code import Code
from wherry.engine.config import Engine
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
from wherry.engine.http.prefault import Prefault
from wherry.engine.http.reply import ResponseHead
from wherry.engine.http.store import SLICE, Bench, Grants
from wherry.engine.traps import ending_of_error
from wherry.errors import StartError
from wherry.plan.ending import Ending, exited

if TYPE_CHECKING:
    from wherry.engine.http.pool import Call

_VAL_SIZE = 32

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
        prefault: Prefault,
        authority: str,
        *,
        outbound: bool,
        reuse: int = 1,
    ) -> None:
        self.engine = engine
        self.code = code
        self.grants = grants
        self.prefault = prefault
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
        return ComponentCall(self, Bench(self.grants, self.prefault), self._here)

    def close(self) -> None:
        for call in self._kept.values():
            call.drop()
        self.prefault.close()
        for index in (self.prepare, self.run, self.trailers):
            capi.component_export_index_delete(index)
        capi.component_linker_delete(self.linker)
        self.code.close()
        self.engine.close()

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
        self._instance_at, self._func_at = addressof(self._instance), addressof(self._func)
        self._argument_at, self._result_at = addressof(self._argument), addressof(self._result)
        self._returned = False  # the guest's code, as it should: its instance can be entered again
        self._left = 0  # requests that the open instance may still serve; 0: none is open

    def __call__(self, exchange: Exchange) -> Outcome:
        began = thread_time()
        self._here.exchange = exchange
        bench = self._bench
        kept = self._enter(exchange)
        left, self._left = self._left - 1, 0  # none, unless this one ends well
        try:
            outcome = self._run(bench.context, self._head(exchange), kept)
            outcome.fuel = bench.fuel_used()
            if self._returned and not exchange.cancelled:
                self._left = left
        finally:
            if self._left:
                bench.rest()
            else:
                bench.close()
        outcome.instances = int(not kept)
        outcome.seconds = thread_time() - began
        return outcome

    def drop(self) -> None:
        """The instance that is kept, if there is one."""
        if self._left:
            self._left = 0
            self._bench.close()

    def _enter(self, exchange: Exchange) -> bool:
        """A store for the exchange: True when it is the kept one's. A store has its stdin, if any, from the start."""
        self._returned = False
        has_stdin = exchange.stdin is not None or bool(exchange.body)
        if self._left and not has_stdin:
            self._bench.again(exchange)
            return True
        self.drop()
        self._bench.open(exchange, (), ())
        if self._guest.outbound:
            capi.context_set_wasi_http(self._bench.context)
        self._left = 1 if has_stdin else self._guest.reuse
        return False

    def _head(self, exchange: Exchange) -> bytes:
        authority = self._guest.authority
        if exchange.stdin is not None:
            return request_head(exchange.head, STREAMED, [], authority)
        mode = WHOLE if exchange.received or exchange.trailers else NO_BODY
        return request_head(exchange.head, mode, exchange.trailers, authority)

    def _run(self, context: int, head: bytes, kept: bool) -> Outcome:
        guest = self._guest
        if not kept and (
            error := capi.component_linker_instantiate(guest.linker, context, guest.code.pointer, self._instance_at)
        ):
            return Outcome(ending_of_error(error))
        self._argument.show(head)
        ending = self._call(context, guest.prepare, 1, 0, capi.component_func_call_quick)  # no guest code runs in it
        ending = ending or self._call(context, guest.run, 0, 1)
        if ending is not None:
            return Outcome(ending)
        code = self._result[1] & 0xFF
        if code == _WITH_TRAILERS:
            return self._with_trailers(context)
        self._returned = code not in _BROKEN
        return Outcome(exited(0), broken=_BROKEN.get(code, ""))

    def _with_trailers(self, context: int) -> Outcome:
        if ending := self._call(context, self._guest.trailers, 0, 1):
            return Outcome(ending)
        trailers: Fields = parse_trailers(control.text_at(self._result_at))
        capi.component_val_delete(self._result_at)
        self._returned = True
        return Outcome(exited(0), trailers)

    def _call(
        self, context: int, index: int, arguments: int, results: int, call: Any = capi.component_func_call
    ) -> Ending | None:
        """Call an export with what is at argument and result; None when it returned."""
        capi.component_instance_get_func(self._instance_at, context, index, self._func_at)
        memset(self._result_at, 0, _VAL_SIZE)
        error = call(self._func_at, context, self._argument_at, arguments, self._result_at, results)
        return ending_of_error(error) if error else None
