"""The C library's allocator (mallopt(3)), where it is glibc's; another one has no such arenas."""

from __future__ import annotations

from wherry_shim.linux.libc import LIBC

_ARENA_MAX = -8


def share_one_arena() -> None:
    """All threads that start from now on allocate from one heap.

    Each of them would have its own, and keep the most that it ever held: seven megabytes in a host of a hundred pods.
    """
    if mallopt := getattr(LIBC, "mallopt", None):
        mallopt(_ARENA_MAX, 1)
