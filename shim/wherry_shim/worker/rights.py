"""What a worker keeps of its rights before its guest runs: an ordinary user's, and less."""

from __future__ import annotations

import signal
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wherry_shim.linux.calls import Call, call
from wherry_shim.linux.privileges import drop_bounding_set, drop_capabilities, no_new_privileges
from wherry_shim.linux.process import PR_SET_DUMPABLE, PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class User:
    """Of an OCI process. umask: -1 leaves it."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    umask: int


def user_of(process: Mapping[str, Any]) -> User:
    """process: of config.json."""
    given = process.get("user") or {}
    groups = tuple(given.get("additionalGids") or ())
    return User(given.get("uid", 0), given.get("gid", 0), groups, given.get("umask", -1))


def give_up(user: User) -> list[Call]:
    """Become this user, without a capability, and end with the parent."""
    groups = struct.pack(f"={len(user.groups)}I", *user.groups)
    return [
        *drop_bounding_set(),
        call("setgroups", len(user.groups), groups),
        call("setresgid", *(user.gid,) * 3),
        call("setresuid", *(user.uid,) * 3),
        *([call("umask", user.umask)] if user.umask >= 0 else []),
        *drop_capabilities(),
        *no_new_privileges(),
        call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0),  # its files in /proc are its own again, as after any execve
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL.value, 0, 0, 0),  # a change of user clears it
    ]
