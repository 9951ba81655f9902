"""`start`'s answer: where the shim listens, and which version of the Task service it speaks (containerd, runtime v2).

containerd 2.3 and newer put BootstrapParams on the launcher's stdin and take a BootstrapResult. Whoever does not is
answered with the bare address, which every version takes, and calls version 2.
"""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from google.protobuf.message import DecodeError

from wherry_shim.proto.bootstrap_pb2 import BootstrapParams, BootstrapResult

_LIMIT = 1 << 16
_MILLISECONDS = 500
_MOMENT = 2
"""Milliseconds for what is on its way; a child that waits costs 3 ms of computing."""

_OLDEST = (2, 3)
"""With version 3 the containers of a pod share its sandbox's connection: no call of the launcher for each."""


def answered(address: str, container: str, given: bytes) -> bytes:
    """What containerd reads from `start`. given: what it wrote to the launcher's stdin. Pure."""
    params = _params(given)
    if params and params.instance_id == container and _version(params.containerd_version) >= _OLDEST:
        return BootstrapResult(version=3, address=address, protocol="ttrpc").SerializeToString()
    return address.encode()


def has_come(launcher: int) -> bool:
    """Whether `standard_input` would not wait. Most often it is there, or on its way."""
    path = Path(f"/proc/{launcher}/fd/5")
    if not stat.S_ISFIFO(path.stat().st_mode):
        return True
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        poll = select.poll()
        poll.register(pipe, 0)
        return any(happened & select.POLLHUP for _, happened in poll.poll(_MOMENT))
    finally:
        os.close(pipe)


def standard_input(launcher: int) -> bytes:
    """What comes by a pipe on the launcher's stdin until that ends; nothing where it is no pipe. Raises OSError.

    launcher: its pid. One that has not ended after half a second counts as one that has.
    """
    path = Path(f"/proc/{launcher}/fd/5")
    if not stat.S_ISFIFO(path.stat().st_mode):
        return b""
    data = b""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as pipe:
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while len(data) < _LIMIT and poll.poll(_MILLISECONDS) and (piece := pipe.read(_LIMIT)):
            data += piece
    return data


def _params(data: bytes) -> BootstrapParams | None:
    """None for what is no such message: older versions write runtime options there, or nothing."""
    try:
        return BootstrapParams.FromString(data) if data else None
    except DecodeError:
        return None


def _version(text: str) -> tuple[int, ...]:
    """`2.3.7-rc.1+unknown` is (2, 3)."""
    numbers = text.removeprefix("v").split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdecimal())
