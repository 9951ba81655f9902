"""Room between objects, taken before processes are forked, so that what they allocate lies side by side.

Importing leaves free places all over the heap. A child would fill those, one here and one there, and copy 4 KiB of its
parent's memory for each. What is taken here is never given back.
"""

from __future__ import annotations

import ctypes

_LARGEST_SMALL = 512
_SMALL_STEP = 16
_POOL = 16 << 10
_POOL_HEAD = 48
"""Python's own allocator (Objects/obmalloc.c): blocks of one size, in pools of 16 KiB, each with a head."""

_KEPT = 1032
_BLOCKS = (*(1 << power for power in range(16, 10, -1)), *range(_KEPT, 16, -16))
"""Sizes of the C library's: up to _KEPT it keeps what was given back of each size, and gives it to no other
(malloc(3), glibc.malloc.tcache_max)."""

_IN_A_ROW = 4
_MOST = 1 << 14
"""Objects of one size: the end of the search where an allocator is another than we think."""

_malloc = ctypes.PyDLL(None).malloc
_malloc.argtypes, _malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
_taken: list[object] = []


def fill() -> None:
    """After everything is imported and collected: in this process and its children all room is in one piece."""
    for size in range(_SMALL_STEP, _LARGEST_SMALL + 1, _SMALL_STEP):
        _fill_pools(size)
    highest = 0
    for size in _BLOCKS:
        highest = _fill_blocks(size, highest)


def _fill_pools(size: int) -> None:
    """Of Python's allocator, up to the first object of a fresh pool."""
    for number in range(_MOST):
        one = _object(size, number)
        _taken.append(one)
        if id(one) % _POOL == _POOL_HEAD:
            return


def _object(size: int, number: int) -> object:
    """An object of that many bytes, a multiple of 16."""
    if size == _SMALL_STEP:
        return object()
    if size == 2 * _SMALL_STEP:
        return (1 << 31) + number  # an integer of two digits, which is not kept for all
    return bytes(size - bytes.__basicsize__)


def _fill_blocks(size: int, highest: int) -> int:
    """Of the C library's, up to where the heap itself grows. highest: the last block so far; gives the last one now."""
    grown = 0
    for _ in range(_MOST):
        address = _malloc(size) or 0
        grown = grown + 1 if address > highest else 0
        highest = max(highest, address)
        if grown == _IN_A_ROW:
            break
    return highest
