"""One connection to a server: many calls at once, each with its own answer."""

from __future__ import annotations

import asyncio
from typing import TypeVar, cast

from google.protobuf.message import DecodeError, Message

from wherry.errors import WherryError
from wherry_shim.ttrpc.codes import Code, RpcError
from wherry_shim.ttrpc.connection import ClientConnection
from wherry_shim.ttrpc.frames import NotTtrpc

M = TypeVar("M", bound=Message)


class Disconnected(WherryError):
    """The connection ended before the answer came: nobody knows whether the call was made."""


class Client:
    """Made by connect()."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    @classmethod
    async def connect(cls, address: str) -> Client:
        """address: a path, or `unix://` and a path. Raises OSError when nobody listens there."""
        path = address.removeprefix("unix://")
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_unix_connection(lambda: _Wire(path), path)
        return cls(wire)

    @property
    def connected(self) -> bool:
        return not self._wire.closing

    async def call(
        self, service: str, method: str, request: Message, response: type[M], seconds: float | None = None
    ) -> M:
        """The response, within so many seconds, which the server is told. Raises RpcError and Disconnected."""
        try:
            async with asyncio.timeout(seconds):
                payload = await self._wire.call(service, method, request.SerializeToString(), seconds)
            return response.FromString(payload)
        except TimeoutError as fault:
            raise RpcError(Code.DEADLINE_EXCEEDED, f"{method} was not answered within {seconds:g} s") from fault
        except DecodeError as fault:
            name = response.DESCRIPTOR.full_name
            raise RpcError(Code.INTERNAL, f"{method}: the answer is no {name}: {fault}") from fault

    def close(self) -> None:
        """Hang up; calls that wait raise Disconnected."""
        self._wire.close()


class _Wire(asyncio.Protocol):
    """The connection of a client."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection = ClientConnection()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for answer in self._connection.receive(data):
                self._settle(self._waiting[answer.stream], answer.result)
        except NotTtrpc as fault:
            self._end(f"{self._path} does not speak ttrpc: {fault}")
            self.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._end(f"the connection to {self._path} has ended")

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.abort()

    async def call(self, service: str, method: str, payload: bytes, seconds: float | None) -> bytes:
        if self.closing:
            raise Disconnected(f"the connection to {self._path} has ended")
        stream, data = self._connection.call(service, method, payload, seconds)
        self._waiting[stream] = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        try:
            return await self._waiting[stream]
        finally:
            del self._waiting[stream]
            self._connection.forget(stream)

    def _settle(self, waiting: asyncio.Future[bytes], result: bytes | WherryError) -> None:
        if waiting.done():
            return
        if isinstance(result, WherryError):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)

    def _end(self, sentence: str) -> None:
        for waiting in self._waiting.values():
            self._settle(waiting, Disconnected(sentence))
