"""A new process without what Python and the C library do around fork: clone(2), clone3(2).

os.fork costs a child 0.4 MB, because hooks touch many objects, and can neither choose the parent nor the cgroup.
The price: the caller has one thread, and nobody depends on hooks of os.register_at_fork.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from ctypes import c_long, c_uint64, c_void_p, sizeof

from wherry_shim.linux.libc import LIBC
from wherry_shim.linux.numbers import number

CLONE_PARENT = 0x00008000
_CLONE_CHILD_CLEARTID = 0x00200000
_CLONE_CHILD_SETTID = 0x01000000
_CLONE_INTO_CGROUP = 0x200000000
_PR_GET_TID_ADDRESS = 40

_CLONE, _CLONE3 = number("clone"), number("clone3")

# PyDLL keeps the GIL: the child finds it held by its own thread.
_raw = ctypes.PyDLL(None, use_errno=True).syscall
_raw.restype = c_long
_raw.argtypes = (c_long,) * 6


class _Arguments(ctypes.Structure):
    """struct clone_args of linux/sched.h, version 2."""

    _fields_ = tuple(
        (name, c_uint64)
        for name in (
            *("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls"),
            *("set_tid", "set_tid_size", "cgroup"),
        )
    )


def _tid_address() -> int:
    """Where the C library keeps this thread's id, which raise() and mutexes read; 0 if the kernel does not tell."""
    address = c_void_p()
    LIBC.prctl(_PR_GET_TID_ADDRESS, ctypes.addressof(address), 0, 0, 0)
    return address.value or 0


_TID = _tid_address()
_TID_FLAGS = _CLONE_CHILD_SETTID | _CLONE_CHILD_CLEARTID if _TID else 0
_LAST = (0, _TID) if platform.machine() == "aarch64" else (_TID, 0)  # clone(2): tls and child_tid, or the reverse
_arguments = _Arguments()
_at_arguments = ctypes.addressof(_arguments)


def clone(flags: int = 0, cgroup: int | None = None) -> int:
    """A child of this single-threaded process: 0 in the child, its pid in the parent, as os.fork.

    flags: CLONE_PARENT and CLONE_NEW*. cgroup: descriptor of a cgroup v2 directory that the child is born in (Linux
    5.7). Must be called in the main thread of a process that was not made with threads alive. Raises OSError.
    """
    if cgroup is None:
        pid: int = _raw(_CLONE, flags | _TID_FLAGS | signal.SIGCHLD, 0, 0, *_LAST)
    else:
        _arguments.flags = flags | _TID_FLAGS | _CLONE_INTO_CGROUP
        _arguments.child_tid = _TID
        _arguments.exit_signal = 0 if flags & CLONE_PARENT else signal.SIGCHLD
        _arguments.cgroup = cgroup
        pid = _raw(_CLONE3, _at_arguments, sizeof(_Arguments), 0, 0, 0)
    if pid < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"clone: {os.strerror(code)}")
    return pid
