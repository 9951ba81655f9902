"""The C library as this package calls it, and what its failures become."""

from __future__ import annotations

import ctypes
import os

LIBC = ctypes.CDLL(None, use_errno=True)

LIBC.syscall.restype = ctypes.c_long


def check(result: int, what: str, path: str | None = None) -> None:
    """Raise OSError with the C library's errno, `what` was tried, and on which path, if the call failed (-1)."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}", path)


def encoded(text: str | None) -> bytes | None:
    """A path or a word for the kernel; None is a null pointer."""
    return None if text is None else os.fsencode(text)
