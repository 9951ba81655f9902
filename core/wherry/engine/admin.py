"""The small listener that serves counters beside a run, for Prometheus."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Mapping

from wherry.engine.exposition import families, page
from wherry.errors import StartError

REQUEST_LIMIT = 8192
PATIENCE = 2.0
"""Seconds that a reader of metrics may block the supervisor while it takes its answer."""


def prometheus(total: Mapping[str, int]) -> str:
    """Counters of one run, as text."""
    return page(families([({}, total)]))


class Admin:
    """`/metrics` and `/healthz` on one address, driven by the supervisor's selector.

    total: gives the counters when asked. healthy: whether every worker is up.
    """

    def __init__(
        self,
        address: str,
        selector: selectors.BaseSelector,
        total: Callable[[], Mapping[str, int]],
        healthy: Callable[[], bool],
    ) -> None:
        self._selector, self._total, self._healthy = selector, total, healthy
        self._pending: dict[socket.socket, bytes] = {}
        self._listener = _listen(address)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        for client in list(self._pending):
            self._drop(client)
        self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(PATIENCE)
        self._pending[client] = b""
        self._selector.register(client, selectors.EVENT_READ, lambda: self._read(client))

    def _read(self, client: socket.socket) -> None:
        try:
            data = client.recv(REQUEST_LIMIT)
            self._pending[client] += data
            whole = b"\r\n\r\n" in self._pending[client]
            if whole:
                client.sendall(self._answer(self._pending[client]))
        except OSError:
            return self._drop(client)
        if whole or not data or len(self._pending[client]) > REQUEST_LIMIT:
            self._drop(client)
        return None

    def _answer(self, request: bytes) -> bytes:
        method, _, rest = request.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "only GET\n")
        if path == b"/metrics":
            return _response("200 OK", prometheus(self._total()))
        if path == b"/healthz":
            return (
                _response("200 OK", "ok\n") if self._healthy() else _response("503 Service Unavailable", "starting\n")
            )
        return _response("404 Not Found", "try /metrics or /healthz\n")

    def _drop(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        del self._pending[client]
        client.close()


def _response(status: str, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + body


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    try:
        return socket.create_server((host.strip("[]") or "127.0.0.1", int(port)))
    except (OSError, ValueError) as error:
        raise StartError(
            "address", f"the admin address {address} cannot be listened on: {error}", cure="choose another host:port"
        ) from error
