"""Mounts of this mount namespace: mount(2), umount2(2), pivot_root(2)."""

from __future__ import annotations

from ctypes import c_char_p, c_int, c_ulong

from wherry_shim.linux.libc import LIBC, check, encoded
from wherry_shim.linux.numbers import number

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_NOATIME = 1024
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

LIBC.mount.argtypes = (c_char_p, c_char_p, c_char_p, c_ulong, c_char_p)
LIBC.umount2.argtypes = (c_char_p, c_int)

_PIVOT_ROOT = number("pivot_root")


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    """Mount, bind or change a mount. kind: the file system's type. Raises OSError that names the target."""
    result = LIBC.mount(encoded(source), encoded(target), encoded(kind), flags, encoded(data))
    check(result, f"mount {kind or source or 'flags'}", target)


def umount(path: str, flags: int = 0) -> None:
    """Unmount what is at the path. Raises OSError."""
    check(LIBC.umount2(encoded(path), flags), "umount", path)


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root, and put the old one at `old`, a folder in it or `.` for both. Raises OSError."""
    check(LIBC.syscall(_PIVOT_ROOT, c_char_p(encoded(new)), c_char_p(encoded(old))), "pivot_root", new)
