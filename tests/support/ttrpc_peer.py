"""A server of the shim's on a socket of its own, and what a client may be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from wherry_shim.proto.ttrpc_pb2 import Response
from wherry_shim.ttrpc.client import Client
from wherry_shim.ttrpc.dispatch import Methods
from wherry_shim.ttrpc.frames import HEADER, FrameType
from wherry_shim.ttrpc.server import Server


def listening(path: Path) -> socket.socket:
    """A Unix socket that is bound there, in the place of an older one."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


@asynccontextmanager
async def serving(path: Path, methods: Methods, lines: list[str] | None = None) -> AsyncIterator[Server]:
    """A server at path; at the end it hangs up on everybody. lines: gets what it logs."""
    lines = [] if lines is None else lines
    server = Server(methods, lines.append)
    await server.serve(listening(path))
    try:
        yield server
    finally:
        server.close()
        server.drop()
        assert await server.hung_up(5)


@asynccontextmanager
async def calling(path: Path) -> AsyncIterator[Client]:
    """A client of the server at path."""
    client = await Client.connect(str(path))
    try:
        yield client
    finally:
        client.close()
        await asyncio.sleep(0)  # for the transport to close its socket


class RawPeer:
    """A client that sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def response(self) -> tuple[int, Response]:
        """The next frame: its stream and what is in it."""
        length, stream, kind, flags = HEADER.unpack(await self.reader.readexactly(HEADER.size))
        assert (kind, flags) == (FrameType.RESPONSE, 0)
        return stream, Response.FromString(await self.reader.readexactly(length))


@asynccontextmanager
async def raw_peer(path: Path) -> AsyncIterator[RawPeer]:
    """A connection to the server at path that follows no protocol."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 10)
    try:
        yield RawPeer(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
