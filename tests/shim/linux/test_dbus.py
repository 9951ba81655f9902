"""A systemd that lets a connection wait, and one that talks much: the real one does so only under load."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress, Message, new_method_call, new_method_return, new_signal

from wherry_shim.linux.cgroup import dbus
from wherry_shim.linux.cgroup.interface import CgroupError

MANAGER = DBusAddress("/org/freedesktop/systemd1", "org.freedesktop.systemd1", "org.freedesktop.systemd1.Manager")
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


def test_the_end_of_a_job_is_found_among_the_news_of_others(listening: socket.socket) -> None:
    """In pieces, and before the answer that names the job."""
    messages = (news(), ended("/job/1", "done"), news(), ended("/job/2", "canceled"), answer(1))
    said = b"".join(each.serialise(serial=9) for each in messages)

    def talks() -> None:
        with listening.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(OK)
            connection.recv(1 << 16)
            for at in range(0, len(said), 50):
                connection.sendall(said[at : at + 50])

    thread = threading.Thread(target=talks)
    thread.start()
    with dbus.Systemd() as systemd, pytest.raises(dbus.Refused) as refused:
        systemd.run("StopUnit", "ss", "a.scope", "replace")
    thread.join()
    assert refused.value.name == "canceled"  # as the second job ended, and not the first


def news() -> Message:
    changed = {"ActiveState": ("s", "active")}
    of_a_unit = MANAGER.with_interface("org.freedesktop.DBus.Properties")
    return new_signal(of_a_unit, "PropertiesChanged", "sa{sv}as", ("org.freedesktop.systemd1.Unit", changed, []))


def ended(job: str, result: str) -> Message:
    return new_signal(MANAGER, "JobRemoved", "uoss", (1, job, "a.scope", result))


def answer(serial: int) -> Message:
    asked = new_method_call(MANAGER, "StopUnit", "ss", ("a.scope", "replace"))
    asked.header.serial = serial
    return new_method_return(asked, "o", ("/job/2",))
