"""The guest that calls every function of wasi:http/types, and wasmtime's own server with it."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import wasmtime_program

Exchange = Callable[[bytes], bytes]


@pytest.fixture(scope="session")
def types() -> Path:
    return guests.http("types")


@pytest.fixture(scope="module")
def theirs(types: Path) -> Iterator[Exchange]:
    """Send bytes to `wasmtime serve` with that guest; all that comes back until it closes."""
    command = [str(wasmtime_program()), "serve", "-Scli", "--addr", "127.0.0.1:0", str(types)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        found = re.search(r":(\d+)/", server.stderr.readline())
        assert found
        port = int(found[1])
        try:
            yield lambda sent: _exchange(port, sent)
        finally:
            server.terminate()


def _exchange(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(sent)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)
