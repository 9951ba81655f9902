"""A plain HTTP proxy in front of the API server, which makes what the API server does not: faults, when told to."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import aiohttp
from aiohttp import web
from yarl import URL

from tests.support.apiserver import ApiServer
from tests.support.faults import Fault, Faults, always

PASSED = ("Content-Type", "Retry-After", "Audit-Id", "Warning")
HOP = ("Host", "Connection", "Transfer-Encoding", "Content-Length")
STALL = 30.0
"""Seconds, above the patience that a test gives a client."""
UNSTREAMED = json.dumps(
    {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "Invalid",
        "code": 422,
        "message": 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is '
        "forbidden for watch unless the WatchList feature gate is enabled",
    }
)
MESSAGE = "the fault proxy says so"
STATUS = {
    Fault.THROTTLED: (429, "TooManyRequests"),
    Fault.INTERNAL: (500, "InternalError"),
    Fault.CONFLICT: (409, "Conflict"),
    Fault.EXPIRED: (410, "Expired"),
    Fault.EXPIRES: (410, "Expired"),
}


class FaultProxy:
    """Made by `fault_proxy`. url: of the proxy. made: how often each fault was made.

    streams_lists: False to be a server without WatchList. retry_after: seconds, of a 429.
    """

    def __init__(self, server: ApiServer, loop: asyncio.AbstractEventLoop) -> None:
        self.url = ""
        self.streams_lists = True
        self.retry_after = 0
        self.made: Counter[Fault] = Counter()
        self._server = server
        self._loop = loop
        self._faults: Faults | None = None
        self._watches: set[asyncio.Task[object]] = set()
        self._random = random.Random(0)
        self._over = asyncio.Event()
        self._between: Callable[[], object] = lambda: None

    def plan(self, faults: Faults | None) -> None:
        """From now on; None for no faults. What is under way goes on."""
        self._faults = faults

    def between(self, happens: Callable[[], object]) -> None:
        """What happens after a request was passed on and before its answer is lost."""
        self._between = happens

    def cut(self) -> None:
        """End every watch."""
        for task in list(self._watches):
            self._loop.call_soon_threadsafe(task.cancel)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Nothing is answered within the block, and watches end."""
        before = self._faults
        self.plan(always(Fault.DROPPED))
        self.cut()
        try:
            yield
        finally:
            self.plan(before)

    async def serve(self, started: threading.Event) -> None:
        """Until `stop`."""
        context = ssl.create_default_context(cafile=str(self._server.certificate))
        connector = aiohttp.TCPConnector(limit=0, ssl=context)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            self._session = session
            runner = web.AppRunner(self._app(), handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            started.set()
            await self._over.wait()
            self.cut()
            await runner.cleanup()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        is_watch = request.query.get("watch", "") in ("1", "true")
        fault = self._faults.next(request.method, is_watch) if self._faults else None
        if fault:
            self.made[fault] += 1
        if is_watch:
            return await self._follow(request, fault)
        return await self._answer(request, fault)

    async def _answer(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        if (made := await self._instead(request, fault)) is not None:
            return made
        async with self._pass_on(request) as answer:
            body, headers = await answer.read(), _kept(answer)
        if fault is Fault.LOST:
            await asyncio.to_thread(self._between)
            return _close(request)
        if fault is not Fault.HALF:
            return web.Response(status=answer.status, headers=headers, body=body)
        response = web.StreamResponse(status=answer.status, headers=headers | {"Content-Length": str(len(body) + 1)})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        return _close(request)

    async def _follow(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        """A watch, which `cut` may end."""
        if not self.streams_lists and "sendInitialEvents" in request.query:
            return web.Response(status=422, text=UNSTREAMED, content_type="application/json")
        if (made := await self._instead(request, fault)) is not None:
            return made
        task = asyncio.current_task()
        assert task
        self._watches.add(task)
        try:
            async with self._pass_on(request) as answer:
                response = web.StreamResponse(status=answer.status, headers=_kept(answer))
                await response.prepare(request)
                await self._relay(request, response, answer, fault)
                await response.write_eof()
                return response
        except (asyncio.CancelledError, ConnectionError):
            return _close(request)
        finally:
            self._watches.discard(task)

    async def _relay(
        self, request: web.Request, response: web.StreamResponse, answer: aiohttp.ClientResponse, fault: Fault | None
    ) -> None:
        """Line by line; a fault comes after a few of them."""
        left = self._random.randrange(8) if fault else -1
        async for line in _lines(answer):
            if left == 0 and fault:
                await self._break(request, response, line, fault)
                return
            left -= 1
            await response.write(line)

    async def _break(self, request: web.Request, response: web.StreamResponse, line: bytes, fault: Fault) -> None:
        if fault is Fault.EXPIRES:
            await response.write(b'{"type":"ERROR","object":%s}\n' % _said(fault).encode())
        elif fault is Fault.HUSHED:
            await asyncio.sleep(STALL)
            _close(request)
        else:
            await response.write(line[: len(line) // 2])
            _close(request)

    async def _instead(self, request: web.Request, fault: Fault | None) -> web.StreamResponse | None:
        """An answer that is not the API server's."""
        if fault is Fault.DROPPED:
            return _close(request)
        if fault is Fault.STALLED:
            await asyncio.sleep(STALL)
            return _close(request)
        if fault is Fault.DELAYED:
            await asyncio.sleep(0.2 * self._random.random())
        if fault is Fault.UNAVAILABLE:
            return web.Response(status=503, text="<html>no healthy upstream</html>", content_type="text/html")
        if fault in (Fault.THROTTLED, Fault.INTERNAL, Fault.CONFLICT, Fault.EXPIRED):
            headers = {"Retry-After": str(self.retry_after)} if fault is Fault.THROTTLED else {}
            return web.Response(
                status=STATUS[fault][0], text=_said(fault), content_type="application/json", headers=headers
            )
        return None

    @asynccontextmanager
    async def _pass_on(self, request: web.Request) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {name: value for name, value in request.headers.items() if name not in HOP}
        limits = aiohttp.ClientTimeout(total=None)
        body = request.content if request.body_exists else None
        url = URL(self._server.url + request.raw_path, encoded=True)
        answer = await self._session.request(request.method, url, headers=headers, data=body, timeout=limits)
        try:
            yield answer
        finally:
            if answer.connection and answer.connection.transport:  # one that has not ended, and needs no farewell
                answer.connection.transport.abort()
            answer.close()


@contextmanager
def fault_proxy(server: ApiServer) -> Iterator[FaultProxy]:
    """In a thread of its own; without faults until it gets a plan."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    proxy = FaultProxy(server, loop)
    thread = threading.Thread(target=loop.run_until_complete, args=(proxy.serve(started),))
    thread.start()
    try:
        assert started.wait(10)
        yield proxy
    finally:
        proxy.stop()
        thread.join()
        loop.close()


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """With their ends; the API server's own end of a watch is the end."""
    rest = b""
    with suppress(aiohttp.ClientError):
        async for chunk in answer.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line + b"\n"
    if rest:
        yield rest


def _close(request: web.Request) -> web.Response:
    """The connection, without an answer or in the middle of it."""
    if request.transport:
        request.transport.abort()
    return web.Response()


def _kept(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in PASSED if name in answer.headers}


def _said(fault: Fault) -> str:
    code, reason = STATUS[fault]
    return (
        f'{{"kind":"Status","apiVersion":"v1","status":"Failure","code":{code},'
        f'"reason":"{reason}","message":"{MESSAGE}"}}'
    )
