"""Many clients on asyncio: each call that waits is a task of its own, so that a `Wait` holds nobody up.

What a client can do to us is bounded: it has at most MAX_CALLS open; while it does not read, it is not read from and
its calls do not begin; when it hangs up, only its own calls end.
"""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from wherry_shim.ttrpc.codes import Code, RpcError
from wherry_shim.ttrpc.connection import Call, Refusal, ServerConnection
from wherry_shim.ttrpc.dispatch import Dispatcher, Log, Methods
from wherry_shim.ttrpc.frames import NotTtrpc

MAX_CALLS = 1024
"""Open calls of one client; more are answered with RESOURCE_EXHAUSTED."""


class Server:
    """Answers calls on any number of connections. log: gets a line for every fault of ours and of clients."""

    def __init__(self, methods: Methods, log: Log = lambda _: None) -> None:
        self._dispatcher = Dispatcher(methods, log)
        self._log = log
        self._clients: set[_Client] = set()
        self._listeners: list[asyncio.Server] = []
        self._somebody_left = asyncio.Event()

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    async def serve(self, listener: socket.socket) -> None:
        """Accept from now on, until close(); returns at once. listener: bound, for streams, closed with the server."""
        loop = asyncio.get_running_loop()
        self._listeners.append(await loop.create_server(self._client, sock=listener))

    def close(self) -> None:
        """Accept no more. Who is connected goes on being answered; who connects at this moment may be lost."""
        while self._listeners:
            self._listeners.pop().close()

    async def hung_up(self, seconds: float) -> bool:
        """Whether all clients hang up within this time. A client may lose an answer that our end follows at once."""
        try:
            async with asyncio.timeout(seconds):
                while self._clients:
                    self._somebody_left.clear()
                    await self._somebody_left.wait()
        except TimeoutError:
            return False
        return True

    def drop(self) -> None:
        """Hang up on everybody; calls that wait are cancelled."""
        for client in self._clients:
            client.drop()

    def _client(self) -> _Client:
        return _Client(self._dispatcher, self._log, self._clients, self._somebody_left)


class _Client(asyncio.Protocol):
    """One connection of a server."""

    def __init__(self, dispatcher: Dispatcher, log: Log, connected: set[_Client], somebody_left: asyncio.Event) -> None:
        self._dispatcher = dispatcher
        self._log = log
        self._connected = connected
        self._somebody_left = somebody_left
        self._connection = ServerConnection()
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._noted = False
        self._reads = asyncio.Event()
        self._reads.set()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._connected.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._connected.discard(self)
        self._somebody_left.set()
        for task in self._calls.values():
            task.cancel()

    def pause_writing(self) -> None:
        self._reads.clear()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._reads.set()
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._connection.receive(data):
                self._take(event)
        except NotTtrpc as fault:
            self._log(f"a client was dropped: {fault}")
            self.drop()

    def drop(self) -> None:
        self._transport.abort()

    def _take(self, event: Call | Refusal) -> None:
        if isinstance(event, Refusal):
            self._note(event)
            self._write(event.answer)
        elif len(self._calls) >= MAX_CALLS:
            self._answer(event, RpcError(Code.RESOURCE_EXHAUSTED, f"{MAX_CALLS} calls of this client are open already"))
        elif self._reads.is_set() and (result := self._dispatcher.at_once(event)) is not None:
            self._answer(event, result)
        else:
            task = asyncio.get_running_loop().create_task(self._run(event))
            if not task.done():
                self._calls[event.stream] = task

    def _note(self, refusal: Refusal) -> None:
        """One line for each client, so that none can fill the log."""
        if not self._noted:
            self._log(f"a client's frame was refused: {refusal.error}; the next ones are not logged")
        self._noted = True

    async def _run(self, call: Call) -> None:
        try:
            while not self._reads.is_set():  # others that waited too may have filled the buffer again
                await self._reads.wait()
            result = self._dispatcher.at_once(call)
            self._answer(call, await self._dispatcher.result(call) if result is None else result)
        finally:
            self._calls.pop(call.stream, None)

    def _answer(self, call: Call, result: bytes | RpcError) -> None:
        self._write(self._connection.answer(call.stream, result))

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
