"""Giving up rights for good: capabilities(7), no_new_privs."""

from __future__ import annotations

import errno
from ctypes import Structure, byref, c_int, c_uint32, get_errno

from wherry_shim.linux.libc import LIBC, check
from wherry_shim.linux.process import prctl

_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES = 64
"""More than there are: the kernel says where its list ends."""


class _Header(Structure):
    _fields_ = (("version", c_uint32), ("pid", c_int))


class _Data(Structure):
    _fields_ = (("effective", c_uint32), ("permitted", c_uint32), ("inheritable", c_uint32))


_TwoData = _Data * 2


def no_new_privileges() -> None:
    """No execve gives more rights than there are, for this thread and its children, for ever."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def keep_capabilities(keep: bool = True) -> None:
    """Whether permitted capabilities outlive the change from uid 0 to another."""
    prctl(_PR_SET_KEEPCAPS, int(keep))


def drop_bounding_set() -> None:
    """No capability can be gained any more. Needs CAP_SETPCAP, so it comes before `drop_capabilities`."""
    for capability in range(_CAPABILITIES):
        result = LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        if result == -1 and get_errno() == errno.EINVAL:
            return
        check(result, "prctl PR_CAPBSET_DROP")


def drop_capabilities() -> None:
    """No effective, permitted, inheritable or ambient capability is left."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = _Header(_CAPABILITY_VERSION_3, 0)
    check(LIBC.capset(byref(header), _TwoData()), "capset")
