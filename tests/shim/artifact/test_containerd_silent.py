"""A containerd that is not there, or not itself: one StartError in bounded time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wherry.errors import StartError
from wherry_shim.artifact.containerd import Containerd


def _hold(connection: socket.socket) -> None:
    """Reads what comes until the client gives up, and never answers."""
    while connection.recv(4096):
        pass


def _drip(connection: socket.socket) -> None:
    """Begins a frame that never ends, one byte at a time."""
    head = b"\0\x40\0\4\0\0\0\0\0"
    try:
        for byte in head + bytes(1 << 20):
            connection.sendall(bytes([byte]))
            time.sleep(0.01)  # the pace is the fault
    except OSError:
        return


def _hang_up(connection: socket.socket) -> None:
    connection.recv(1)


def _speak_otherwise(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    _hold(connection)


@contextmanager
def _server(path: Path, behave: Callable[[socket.socket], None]) -> Iterator[Containerd]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Containerd(f"unix://{path}", "k8s.io", timeout=0.2)
        finally:
            thread.join()


@pytest.mark.parametrize(
    ("behave", "message"),
    [
        (_hold, "timed out"),
        (_drip, "timed out|too long"),
        (_hang_up, "closed|reset"),
        (_speak_otherwise, "timed out|not HTTP/2"),
    ],
    ids=["silent", "dripping", "hangs up", "HTTP/1"],
)
def test_a_containerd_that_does_not_answer_is_told(
    behave: Callable[[socket.socket], None], message: str, tmp_path: Path
) -> None:
    with _server(tmp_path / "s", behave) as containerd, pytest.raises(StartError, match=message) as caught:
        containerd.target("docker.io/library/hello:v1")
    assert caught.value.reason == "artifact"
    assert "image docker.io/library/hello:v1: containerd at unix://" in caught.value.message


def test_a_socket_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file") as caught:
        Containerd(str(tmp_path / "none"), "k8s.io").image_of("c1")
    assert caught.value.reason == "artifact"
