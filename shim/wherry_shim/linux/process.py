"""This process among the others: its name, its parent, its children (prctl(2))."""

from __future__ import annotations

import os
from ctypes import c_char_p, c_int, c_ulong, c_void_p, cast

from wherry_shim.linux.libc import LIBC, check

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36

LIBC.prctl.argtypes = (c_int, c_ulong, c_ulong, c_ulong, c_ulong)


def prctl(option: int, *arguments: int) -> int:
    """The call itself, with up to four arguments. Raises OSError."""
    result: int = LIBC.prctl(option, *arguments, *(0,) * (4 - len(arguments)))
    check(result, f"prctl {option}")
    return result


def set_name(name: str) -> None:
    """What ps and top show as the command; cut to 15 bytes by the kernel."""
    text = c_char_p(name.encode())
    prctl(PR_SET_NAME, cast(text, c_void_p).value or 0)


def die_with_parent(parent: int, signal: int) -> None:
    """Be sent the signal when the parent ends, also if it has ended already.

    parent: as getppid() tells it here, 0 for one outside of this pid namespace. A change of uid or of capabilities
    clears it: call it after those.
    """
    prctl(PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal)


def become_subreaper() -> None:
    """Be the parent of descendants whose own parent has ended."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
