"""Giving up rights for good: capabilities(7), no_new_privs. As calls, because a worker makes them."""

from __future__ import annotations

import struct
from pathlib import Path

from wherry_shim.linux.calls import Call, call

_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_LAST = Path("/proc/sys/kernel/cap_last_cap")
_HEADER = struct.pack("=Ii", 0x20080522, 0)
"""_LINUX_CAPABILITY_VERSION_3, of this thread."""
_NONE = bytes(2 * 3 * 4)


def no_new_privileges() -> list[Call]:
    """No execve gives more rights than there are, for this thread and its children, for ever."""
    return [call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)]


def keep_capabilities() -> list[Call]:
    """Permitted capabilities outlive the change from uid 0 to another."""
    return [call("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)]


def drop_bounding_set() -> list[Call]:
    """No capability can be gained any more. Needs CAP_SETPCAP, so it comes before `drop_capabilities`."""
    return [call("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0) for capability in range(int(_LAST.read_text()) + 1)]


def drop_capabilities() -> list[Call]:
    """No effective, permitted, inheritable or ambient capability is left."""
    ambient = call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    return [ambient, call("capset", _HEADER, _NONE)]
