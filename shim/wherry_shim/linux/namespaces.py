"""Namespaces: entering and leaving them (namespaces(7))."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_char_p, c_int, c_size_t

from wherry_shim.linux.libc import LIBC, check

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_OWN = {CLONE_NEWNET: "net", CLONE_NEWIPC: "ipc", CLONE_NEWUTS: "uts", CLONE_NEWPID: "pid"}

LIBC.setns.argtypes = (c_int, c_int)
LIBC.unshare.argtypes = (c_int,)
LIBC.sethostname.argtypes = (c_char_p, c_size_t)


def setns(descriptor: int, kind: int = 0) -> None:
    """Enter the namespace of a /proc/*/ns file. kind: the CLONE_NEW* it must be, 0 is any. Raises OSError."""
    check(LIBC.setns(descriptor, kind), "setns")


def unshare(flags: int) -> None:
    """Leave the namespaces named by CLONE_NEW* flags for new ones. Raises OSError."""
    check(LIBC.unshare(flags), "unshare")


class Home:
    """The namespaces of the thread that makes this: all but mounts and users, which threads cannot leave alone."""

    def __init__(self) -> None:
        folder, flags = "/proc/thread-self/ns", os.O_RDONLY | os.O_CLOEXEC
        self._own = [(os.open(f"{folder}/{name}", flags), kind) for kind, name in _OWN.items()]

    @contextmanager
    def left(self) -> Iterator[None]:
        """Within this block the thread may be elsewhere, and so are the children that it then has."""
        try:
            yield
        finally:
            self._come_back()

    def _come_back(self) -> None:
        try:
            for descriptor, kind in self._own:
                setns(descriptor, kind)
        except OSError:
            os.abort()  # whatever it does next would be done to another's namespaces


def sethostname(name: str) -> None:
    """The host name of this UTS namespace, 64 bytes at most. Raises OSError."""
    data = name.encode()
    check(LIBC.sethostname(data, len(data)), "sethostname")
