"""The sockets that a server listens on: one for each worker, all on one port (SO_REUSEPORT, socket(7))."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from wherry.errors import StartError

BACKLOG = 4096


def bind(address: str, port: int, count: int) -> list[socket.socket]:
    """`count` bound sockets that do not listen yet; port 0 is any. `::` takes IPv4 as well.

    Raises StartError `address`. Two servers never share a port: the first bind asks for it alone.
    """
    if address == "::" and not socket.has_ipv6:
        address = "0.0.0.0"  # noqa: S104 - `::` asks for every address, and this is what there is
    try:
        with _socket(address) as probe:
            probe.bind((address, port))
            port = probe.getsockname()[1]
        with ExitStack() as opened:
            sockets = [opened.enter_context(_socket(address)) for _ in range(count)]
            for listener in sockets:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                listener.bind((address, port))
            opened.pop_all()
            return sockets
    except OSError as error:
        raise StartError(
            "address", f"cannot listen on {address} port {port}: {error.strerror}", cure="choose another port"
        ) from error


def listen(sockets: list[socket.socket]) -> None:
    """Clients may come: the code is loaded."""
    for listener in sockets:
        listener.listen(BACKLOG)
        listener.setblocking(False)


def _socket(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
    return listener
