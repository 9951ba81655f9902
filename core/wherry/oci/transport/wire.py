"""Sockets of a session: opened only to addresses that the rules allow, and cut when a deadline passes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from wherry.oci.transport.addresses import Address, objection
from wherry.oci.transport.faults import fault
from wherry.oci.transport.names import resolved


class Wire:
    """Dials for one session and cuts what it dialled.

    Deadlines cut the sockets themselves: a timeout of each read starts anew with every byte, so that a server which
    sends one byte a second, in head or body, would hold us for ever.
    """

    def __init__(self, trusted: str, connect: float, *, allow_private: bool) -> None:
        self._trusted = trusted.strip("[]").lower()
        self._connect = connect
        self._allow_private = allow_private
        self._open: dict[tuple[str, int], socket.socket] = {}
        self._lock = threading.Lock()
        self.expired = False

    def dial(self, host: str, port: int) -> socket.socket:
        """A connected socket. Raises RegistryError: policy, unreachable or timeout."""
        problem: OSError | None = None
        for address in [] if self.expired else self._allowed(host, port):
            try:
                sock = socket.create_connection((str(address), port), self._connect)
            except OSError as error:
                problem = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._adopt((host, port), sock)
            return sock
        if self.expired or isinstance(problem, TimeoutError):
            raise fault("timeout", f"cannot reach {host}:{port} within {self._connect:g} s")
        raise fault("unreachable", f"cannot reach {host}:{port} ({problem.strerror if problem else 'no address'})")

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Everything inside ends after this many seconds; `expired` tells whether it was cut."""
        self.expired = False
        timer = threading.Timer(max(seconds, 0.0), self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let go of every socket."""
        with self._lock:
            for sock in self._open.values():
                sock.close()
            self._open.clear()

    def _allowed(self, host: str, port: int) -> list[Address]:
        bare = host.strip("[]").lower()
        try:
            found = resolved(bare, port, self._connect)
        except TimeoutError:
            raise fault("timeout", f"cannot resolve {host} within {self._connect:g} s") from None
        except (socket.gaierror, UnicodeError) as error:
            said = getattr(error, "strerror", "") or "not a host name"
            raise fault("unreachable", f"cannot reach {host}:{port} ({said})") from None
        verdicts = {a: objection(bare, a, trusted=self._trusted, allow_private=self._allow_private) for a in found}
        allowed = [address for address, reason in verdicts.items() if not reason]
        if not allowed:
            address, reason = next(iter(verdicts.items()))
            cure = "if that is meant, set allowPrivate for the registry in the registries file"
            raise fault("policy", f"does not connect to {host}:{port}: {address} is {reason}", cure=cure)
        return allowed

    def _adopt(self, key: tuple[str, int], sock: socket.socket) -> None:
        # A duplicate: TLS takes the original over, and shutting down either ends both.
        twin = sock.dup()
        with self._lock:
            if old := self._open.pop(key, None):
                old.close()
            self._open[key] = twin
            if self.expired:
                twin.shutdown(socket.SHUT_RDWR)

    def _cut(self) -> None:
        self.expired = True
        with self._lock:
            for sock in self._open.values():
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def pools(wire: Wire) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's connection pools, which dial by wire."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return wire.dial(self.host, self.port)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return wire.dial(self.host, self.port or 443)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
