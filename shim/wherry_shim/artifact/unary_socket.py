"""The thin shell around `unary`: one call over a Unix socket, in a limited time."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping

from wherry_shim.artifact.unary import UnaryCall

_PIECE = 64 << 10
_NOTHING: Mapping[str, str] = {}


def called(address: str, path: str, request: bytes, seconds: float, metadata: Mapping[str, str] = _NOTHING) -> bytes:
    """The answer, whole, by a connection of its own; blocks. address: of the socket. seconds: for all of it.

    Raises RpcError, OSError (TimeoutError among them).
    """
    deadline = time.monotonic() + seconds
    call = UnaryCall(path, request, {"grpc-timeout": f"{int(seconds * 1000)}m", **metadata})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        _within(connection, deadline)
        connection.connect(address.removeprefix("unix://"))
        while True:
            _within(connection, deadline)
            connection.sendall(call.outgoing())
            _within(connection, deadline)
            if (answer := call.receive(connection.recv(_PIECE))) is not None:
                return answer


def _within(connection: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    connection.settimeout(left)
