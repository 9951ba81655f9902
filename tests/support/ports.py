"""Free ports of loopback, for programs that must be told one."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing


def free_ports(count: int) -> list[int]:
    """Ports that were free together a moment ago."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


def free_port() -> int:
    """A port that was free a moment ago."""
    return free_ports(1)[0]
