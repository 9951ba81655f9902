"""A systemd that lets a connection wait, which the real one does only under load."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wherry_shim.linux.cgroup import dbus
from wherry_shim.linux.cgroup.interface import CgroupError

OK = b"OK 0123456789abcdef0123456789abcdef\r\n"


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """In systemd's place."""
    monkeypatch.setattr(dbus, "PRIVATE", str(tmp_path / "private"))
    monkeypatch.setattr(dbus, "SYSTEM_BUS", str(tmp_path / "bus"))
    monkeypatch.setattr(dbus, "_WELCOME", (0.1, 0.1, 5.0))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(dbus.PRIVATE)
        server.listen()
        yield server


def test_a_connection_without_an_answer_is_made_anew(listening: socket.socket) -> None:
    def answers_the_third() -> None:
        silent = [listening.accept()[0] for _ in range(2)]
        with listening.accept()[0] as third:
            third.sendall(OK)
            assert third.recv(1 << 16).startswith(b"\0AUTH EXTERNAL")
        for each in silent:
            each.close()

    thread = threading.Thread(target=answers_the_third)
    thread.start()
    dbus.Systemd().__exit__(None, None, None)
    thread.join()


def test_one_that_never_answers_is_one_typed_error(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbus, "_WELCOME", (0.01, 0.01))
    with pytest.raises(CgroupError, match=r"systemd cannot be reached by .*: timed out"):
        dbus.Systemd()


def test_where_there_is_no_systemd_is_one_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbus, "PRIVATE", str(tmp_path / "none"))
    monkeypatch.setattr(dbus, "SYSTEM_BUS", str(tmp_path / "none"))
    with pytest.raises(CgroupError, match="No such file") as refused:
        dbus.Systemd()
    assert "SystemdCgroup = false" in refused.value.cure
