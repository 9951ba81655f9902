"""From a call to its method and back: decoding, the time limit, and one status for whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message

from wherry_shim.ttrpc.codes import Code, RpcError, is_ours, rpc_error
from wherry_shim.ttrpc.connection import Call

Log = Callable[[str], None]
"""Takes one line."""


@dataclass(frozen=True, slots=True)
class Method:
    """A procedure that waits. request: what a payload is decoded as; call: gets that and gives the response, or raises.

    A call is cancelled when its time is over or its client has gone, unless it is to come to its end: then it goes on,
    and only its answer is lost.
    """

    request: type[Message]
    call: Callable[[Any], Awaitable[Message]]
    to_its_end: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A procedure that is answered at once: it costs no task of its own."""

    request: type[Message]
    call: Callable[[Any], Message]


Methods = Mapping[tuple[str, str], Method | Query]
"""By names of service and method."""


class Dispatcher:
    """Runs calls. log: gets a line for every fault of ours."""

    def __init__(self, methods: Methods, log: Log) -> None:
        self._methods = methods
        self._log = log
        self._going_on: set[asyncio.Future[Message]] = set()

    def at_once(self, call: Call) -> bytes | RpcError | None:
        """What a query comes to, and what is none of our methods; None for a call that waits."""
        try:
            method = self._method(call)
            if isinstance(method, Query):
                return method.call(_decoded(call, method)).SerializeToString()
        except Exception as fault:
            return self._fault(call, fault)
        return None

    async def result(self, call: Call) -> bytes | RpcError:
        """What a call that waits comes to; raises nothing but CancelledError."""
        method = self._methods[call.service, call.method]
        assert isinstance(method, Method)  # noqa: S101 - it is not answered at once
        try:
            async with asyncio.timeout(call.timeout) as limit:
                return (await self._called(call, method)).SerializeToString()
        except asyncio.CancelledError:
            if _was_cancelled():
                raise
            return RpcError(Code.CANCELLED, f"{call.method} was cancelled on our side")
        except Exception as fault:
            if limit.expired():
                return RpcError(Code.DEADLINE_EXCEEDED, f"{call.method} was not done within {call.timeout:g} s")
            return self._fault(call, fault)

    async def _called(self, call: Call, method: Method) -> Message:
        response = method.call(_decoded(call, method))
        if not method.to_its_end:
            return await response
        task = asyncio.ensure_future(response)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        return await asyncio.shield(task)

    def _fault(self, call: Call, fault: Exception) -> RpcError:
        if is_ours(fault):
            self._log(f"{call.service}/{call.method} failed at {_where(fault)}: {rpc_error(fault)}")
        return rpc_error(fault)

    def _method(self, call: Call) -> Method | Query:
        if method := self._methods.get((call.service, call.method)):
            return method
        if any(service == call.service for service, _ in self._methods):
            raise RpcError(Code.UNIMPLEMENTED, f"service {call.service} has no method {call.method!r}")
        raise RpcError(
            Code.UNIMPLEMENTED, f"there is no service {call.service!r}, asked for its method {call.method!r}"
        )


def _decoded(call: Call, method: Method | Query) -> Message:
    try:
        return method.request.FromString(call.payload)
    except DecodeError as fault:
        name = method.request.DESCRIPTOR.full_name
        raise RpcError(Code.INVALID_ARGUMENT, f"{call.method}: the payload is no {name}: {fault}") from fault


def _was_cancelled() -> bool:
    """Whether this task itself was, and not something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _where(fault: BaseException) -> str:
    """File and line that raised."""
    trace = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown line"
