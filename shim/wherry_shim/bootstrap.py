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
_OLDEST = (2, 3)
"""With version 3 the containers of a pod share its sandbox's connection: no call of the launcher for each."""


def answered(address: str, launcher: int, container: str) -> bytes:
    """What containerd reads from `start`. launcher: its pid."""
    given = _params(_standard_input(launcher))
    if given and given.instance_id == container and _version(given.containerd_version) >= _OLDEST:
        return BootstrapResult(version=3, address=address, protocol="ttrpc").SerializeToString()
    return address.encode()


def _standard_input(pid: int) -> bytes:
    """What waits in a pipe on the process's stdin; nothing where that is no pipe."""
    path = Path(f"/proc/{pid}/fd/5")
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
