"""Numbers of system calls, which differ between processors (asm/unistd_64.h, asm-generic/unistd.h)."""

from __future__ import annotations

import platform
from collections.abc import Mapping

MACHINES = ("x86_64", "aarch64")

_NUMBERS: Mapping[str, tuple[int, int]] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "pivot_root": (155, 41),
    "rt_sigtimedwait": (128, 137),
}


def number(name: str, machine: str = platform.machine()) -> int:
    """The number of this system call on this machine. Raises KeyError for one that is not listed."""
    return _NUMBERS[name][MACHINES.index(machine)]
