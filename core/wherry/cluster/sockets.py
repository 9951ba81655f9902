"""Sockets to the API server, of which none outlives its connection."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from weakref import WeakSet

import aiohttp

_TURNS = 10
"""Of the event loop, in which a transport notices that its socket is shut down, and closes it."""


class Sockets:
    """Of one connection: called for each that it needs."""

    def __init__(self) -> None:
        self._made: WeakSet[socket.socket] = WeakSet()

    def __call__(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """With keep-alive that finds in half a minute that the other end is gone: a watch may be silent for long."""
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
        self._made.add(made)
        return made

    async def close(self) -> None:
        """Also those of requests that were cancelled, which would wait for the other end's farewell of TLS."""
        for each in self._open():
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for _ in range(_TURNS):
            if self._open():
                await asyncio.sleep(0)

    def _open(self) -> list[socket.socket]:
        return [each for each in self._made if each.fileno() >= 0]
