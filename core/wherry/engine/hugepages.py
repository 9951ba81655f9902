"""Huge pages for memory that a guest will grow into: madvise(2), MADV_HUGEPAGE (docs/decisions/0040)."""

from __future__ import annotations

import ctypes
import mmap
from ctypes import c_int, c_size_t

RESERVED = 1 << 32
"""Bytes of address space that the engine keeps for a memory from its start on."""

_HUGEPAGE = 14

_madvise = ctypes.CDLL(None).madvise
_madvise.argtypes = c_size_t, c_size_t, c_int


def prefer(start: int, size: int, most: int) -> None:
    """Ask for them in the memory at `start` behind the `size` bytes that it has, up to `most`.

    Where the kernel has none, nothing changes.
    """
    first = start + size + -size % mmap.PAGESIZE
    end = start + min(most, RESERVED)
    if first < end:
        _madvise(first, end - first, _HUGEPAGE)
