"""A server of the shim's on a socket of its own, and what a client may be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wherry_shim.ttrpc.client import Client
from wherry_shim.ttrpc.dispatch import Methods
from wherry_shim.ttrpc.server import Server


def listening(path: Path) -> socket.socket:
    """A Unix socket that is bound there."""
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
