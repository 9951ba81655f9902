"""This process's pages as the kernel sees them: which a guest has written, and making many writable at once.

proc_pid_maps(5), proc_pid_pagemap(5), madvise(2), process_madvise(2).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from array import array
from collections.abc import Iterable
from ctypes import c_int, c_long, c_size_t, c_void_p
from dataclasses import dataclass
from pathlib import Path

PAGE = mmap.PAGESIZE

REACH = 32 << 20
"""Bytes before and behind an image that count as its memory: a C program's stack lies before its data."""

_ENTRY = 8  # bytes of pagemap for each page
_PRESENT, _OF_FILE = 1 << 63, 1 << 61
_POPULATE_WRITE = 23
_PROCESS_MADVISE = 440  # on every architecture; the C library's own wrapper is younger than some that we run on
_REFUSED = {errno.EINVAL, errno.ENOSYS, errno.EPERM}  # by an older kernel, or by a seccomp filter

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype, _syscall.argtypes = c_long, (c_long, c_int, c_void_p, c_size_t, c_int, c_int)
_madvise = _libc.madvise
_madvise.argtypes = c_size_t, c_size_t, c_int


class _Range(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("start", c_size_t), ("size", c_size_t))


@dataclass(frozen=True)
class Memory:
    """A linear memory with an image. image: its address; offset: of the image's bytes in the code's file.

    start, end: addresses of the memory as it is made, as far as they are within REACH. Pages are numbered from the
    image on.
    """

    image: int
    offset: int
    start: int
    end: int


class Pages:
    """Some pages of one memory, as the kernel wants to be asked for them. first: where pagemap tells of the first."""

    def __init__(self, memory: Memory, numbers: Iterable[int]) -> None:
        parts = [(memory.image + page * PAGE, count * PAGE) for page, count in runs(numbers)]
        self.ranges = (_Range * len(parts))(*(_Range(*part) for part in parts))
        self.first = parts[0][0] // PAGE * _ENTRY


class PageTable:
    """Of the process that makes it. Raises OSError where the kernel does not show it."""

    def __init__(self) -> None:
        self._map = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        self._process = os.pidfd_open(os.getpid())
        self._at_once = True

    def written(self, memory: Memory) -> set[int]:
        """Pages that are this process's own copies."""
        first, count = (memory.start - memory.image) // PAGE, (memory.end - memory.start) // PAGE
        entries = array("Q", os.pread(self._map, count * _ENTRY, memory.start // PAGE * _ENTRY))
        return {page for page, entry in enumerate(entries, first) if entry & (_PRESENT | _OF_FILE) == _PRESENT}

    def lacks(self, pages: Pages) -> bool:
        """Whether the first of them is not there."""
        return not os.pread(self._map, _ENTRY, pages.first)[-1] & _PRESENT >> 56

    def populate(self, pages: Pages) -> bool:
        """Make copies of them that may be written, as a write would; no byte changes. False where the kernel cannot."""
        if self._at_once:
            done = _syscall(_PROCESS_MADVISE, self._process, pages.ranges, len(pages.ranges), _POPULATE_WRITE, 0)
            self._at_once = done >= 0 or ctypes.get_errno() not in _REFUSED
        if self._at_once:
            return True
        failed = [_madvise(each.start, each.size, _POPULATE_WRITE) for each in pages.ranges]
        return not all(failed) or ctypes.get_errno() not in _REFUSED

    def close(self) -> None:
        os.close(self._map)
        os.close(self._process)


def memories_of(code: Path, size: int, maps: str) -> list[Memory]:
    """The memories whose images are mapped from this file, as far as size bytes.

    code: without symbolic links, as the kernel names it. maps: the text of /proc/self/maps.
    """
    found: list[Memory] = []
    start = end = 0
    for line in maps.splitlines():
        span, rights, offset, _device, _inode, *path = line.split(None, 5)
        low, high = (int(part, 16) for part in span.split("-"))
        if rights != "rw-p":
            continue
        if low != end:
            start = low
        end = high
        if path and path[0] == os.fspath(code):
            found.append(Memory(low, int(offset, 16), max(start, low - REACH), min(start + size, low + REACH)))
    return found


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Neighbours together: the first of each run, and how many there are."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and sum(found[-1]) == number:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((number, 1))
    return found
