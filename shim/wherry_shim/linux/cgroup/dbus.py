"""Calls to systemd's manager over D-Bus, and the end of the jobs they start (org.freedesktop.systemd1(5))."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from types import TracebackType
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageType, message_bus, new_method_call
from jeepney.auth import BEGIN, AuthenticationError, make_auth_external
from jeepney.low_level import calc_msg_size

from wherry_shim.linux.cgroup.interface import CgroupError

PRIVATE = "/run/systemd/private"
SYSTEM_BUS = "/run/dbus/system_bus_socket"

_MANAGER = DBusAddress(
    "/org/freedesktop/systemd1", bus_name="org.freedesktop.systemd1", interface="org.freedesktop.systemd1.Manager"
)
_HEAD = 16  # bytes of a message that tell its size
_ENDED = "JobRemoved"
_SECONDS = 10.0
_WELCOME = (0.5, 1.0, 2.0, 4.0)
"""Seconds that a connection waits for systemd's first word, one after the other: under load some never get it."""


class Refused(CgroupError):
    """systemd answered with an error; name is that of D-Bus, such as org.freedesktop.systemd1.NoSuchUnit."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def expect_systemd() -> None:
    """Raises CgroupError where neither of systemd's sockets is; whether it listens there shows when it is called."""
    if not os.path.exists(PRIVATE) and not os.path.exists(SYSTEM_BUS):
        raise _unreachable("neither is there")


def _unreachable(reason: str) -> CgroupError:
    return CgroupError(
        f"systemd cannot be reached by {PRIVATE} or {SYSTEM_BUS}: {reason}",
        cure="set SystemdCgroup = false in containerd's configuration if systemd does not run here",
    )


class Systemd:
    """A connection for a few calls. Every method waits ten seconds at most and raises CgroupError."""

    def __init__(self) -> None:
        self._come = b""
        self._serial = 0
        self._jobs: dict[str, str] = {}
        try:
            self._socket, shared = _connected()
            self._socket.settimeout(_SECONDS)
            if shared:
                self._introduce()
        except (OSError, AuthenticationError) as error:
            raise _unreachable(str(error)) from error

    def __enter__(self) -> Systemd:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def call(self, method: str, signature: str, *body: Any) -> Any:
        """The answer's values. Raises Refused for an error that systemd reports."""
        return self._exchange(new_method_call(_MANAGER, method, signature, body))

    def run(self, method: str, signature: str, *body: Any) -> None:
        """Call a method that starts a job, and wait for its end. Raises Refused if it does not end well."""
        (job,) = self.call(method, signature, *body)
        while job not in self._jobs:
            self._receive()
        result = self._jobs.pop(job)
        if result != "done":
            raise Refused(result, f"systemd: {method} of {body[0]} ended as {result}, expected done")

    def _introduce(self) -> None:
        """On the system's bus, where a signal is sent to those who ask for it."""
        self._exchange(message_bus.Hello())
        rule = MatchRule(type="signal", interface=_MANAGER.interface, member=_ENDED)
        self._exchange(message_bus.AddMatch(rule))
        self._exchange(new_method_call(_MANAGER, "Subscribe"))

    def _exchange(self, message: Message) -> Any:
        self._serial += 1
        try:
            self._socket.sendall(message.serialise(serial=self._serial))
        except OSError as error:
            raise CgroupError(f"systemd: the connection broke: {error}") from error
        while True:
            answer = self._receive()
            if answer.header.fields.get(HeaderFields.reply_serial) == self._serial:
                break
        if answer.header.message_type is MessageType.error:
            name = answer.header.fields[HeaderFields.error_name]
            raise Refused(name, f"systemd: {answer.body[0] if answer.body else name}")
        return answer.body

    def _receive(self) -> Message:
        """The next message; the end of a job is noted, because it may come before the answer that names the job."""
        while (message := self._message()) is None:
            try:
                self._come += self._bytes()
            except OSError as error:
                raise CgroupError(f"systemd: no answer: {error}") from error
        if message.header.fields.get(HeaderFields.member) == _ENDED:
            _, job, _, result = message.body
            self._jobs[job] = result
        return message

    def _message(self) -> Message | None:
        """What has come whole. Other signals are dropped unread: systemd tells everybody of everything on the node."""
        while len(self._come) >= _HEAD and len(self._come) >= (size := calc_msg_size(self._come)):
            data, self._come = self._come[:size], self._come[size:]
            if data[1] != MessageType.signal.value or _ENDED.encode() in data:
                return Message.from_buffer(data)
        return None

    def _bytes(self) -> bytes:
        return _some(self._socket)


def _connected() -> tuple[socket.socket, bool]:
    """Authenticated, and whether it is the bus of many. Raises OSError, AuthenticationError."""
    for seconds in _WELCOME[:-1]:
        with suppress(TimeoutError):
            return _welcomed(seconds)
    return _welcomed(_WELCOME[-1])


def _welcomed(seconds: float) -> tuple[socket.socket, bool]:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connection.settimeout(seconds)
    try:
        shared = not _is_private(connection)
        if shared:
            connection.connect(SYSTEM_BUS)
        _authenticate(connection)
    except BaseException:
        connection.close()
        raise
    return connection, shared


def _is_private(connection: socket.socket) -> bool:
    """Connected to systemd itself, which lets root do so; not everywhere it does."""
    try:
        connection.connect(PRIVATE)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


def _authenticate(connection: socket.socket) -> None:
    """All at once: systemd forgets a first message that it reads together with BEGIN, if it has answered before."""
    connection.sendall(b"\0" + make_auth_external() + BEGIN)
    answer = b""
    while not answer.endswith(b"\r\n"):
        answer += _some(connection)
    if not answer.startswith(b"OK "):
        raise AuthenticationError(answer)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionResetError("it was closed")
    return data
