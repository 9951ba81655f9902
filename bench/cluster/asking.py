"""The program of a probe, which needs Python alone: orders come as lines of JSON, answers go out as such.

["ask", ADDRESS, PORT, EVERY] asks until there is a 200, then says [ADDRESS, PORT, TIME]; EVERY and TIME are seconds,
the latter since 1970. ["arm", PORT] does so for each Pod that comes to this node until ["disarm"].
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 300.0
CONNECTED = 0.2
"""Seconds. While a Service has no rules, what is sent to it is lost, and the kernel tries again after a second only."""
REQUEST = b"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n"
LOOK, EAGER = 0.01, 0.002
"""Seconds between two looks at the routes, and between two questions to a new Pod: those tell its start."""
ONE_ADDRESS = "FFFFFFFF"
saying, armed = threading.Lock(), threading.Event()


def main() -> None:
    print("null", flush=True)
    for line in sys.stdin:
        order, *arguments = json.loads(line)
        if order == "ask":
            started(ask, *arguments)
        elif order == "arm":
            armed.set()
            started(arrivals, routes(), *arguments)
        else:
            armed.clear()


def started(action: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=action, args=arguments, daemon=True).start()


def ask(address: str, port: int, every: float) -> None:
    end = time.monotonic() + PATIENCE
    while not answers(address, port):
        if time.monotonic() > end:
            return
        time.sleep(every)
    with saying:
        print(json.dumps([address, port, time.time()]), flush=True)


def answers(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), timeout=CONNECTED) as connection:
        connection.settimeout(10)
        connection.sendall(REQUEST)
        return b" 200 " in connection.recv(4096)
    return False


def arrivals(known: set[str], port: int) -> None:
    while armed.is_set():
        there = routes()
        for each in there - known:
            started(ask, each, port, EAGER)
        known = there
        time.sleep(LOOK)


def routes() -> set[str]:
    """Addresses with a route of their own: each Pod of this node, from the moment at which it has a network."""
    rows = [line.split() for line in Path("/proc/net/route").read_text().splitlines()]
    return {socket.inet_ntoa(struct.pack("<L", int(row[1], 16))) for row in rows if row[7] == ONE_ADDRESS}


if __name__ == "__main__":
    main()
