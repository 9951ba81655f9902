"""Address space of linear memories: reserved whole, opened as far as a guest may see, and mapped from an image.

mmap(2), mprotect(2), madvise(2). Everything here raises OSError.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Sequence
from ctypes import c_int, c_long, c_size_t, c_void_p

from wherry.engine.placed import Placed

_NONE, _READ, _WRITE = 0, mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_WRITE
_FIXED, _NORESERVE = 0x10, 0x4000
_NEW = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE
_FAILED = c_size_t(-1).value

_libc = ctypes.PyDLL(None, use_errno=True)
_mmap, _munmap, _mprotect, _madvise = _libc.mmap, _libc.munmap, _libc.mprotect, _libc.madvise
_mmap.restype, _mmap.argtypes = c_size_t, (c_void_p, c_size_t, c_int, c_int, c_int, c_long)
_munmap.argtypes = c_void_p, c_size_t
_mprotect.argtypes = _madvise.argtypes = c_void_p, c_size_t, c_int


class Original:
    """What memories of one size begin with, to read from. images: of that size, in `file`."""

    def __init__(self, file: int, size: int, images: Sequence[Placed]) -> None:
        self.size = size
        self._file, self._images = file, images
        self.address = _map(None, max(size, mmap.PAGESIZE), _READ, _NEW)
        self._show(self.address, _READ)

    def memory(self, reserved: int, guard: int) -> LinearMemory:
        """A new one. reserved, guard: bytes of address space that it may grow into, and that nothing may ever use."""
        address = _map(None, reserved + guard, _NONE, _NEW)
        _check(_mprotect(address, self.size, _WRITE))
        self._show(address, _WRITE)
        _madvise(address, self.size, mmap.MADV_NOHUGEPAGE)  # one byte would cost 2 MiB, at each request
        return LinearMemory(address, self.size, reserved, self, guard)

    def unmap(self) -> None:
        _munmap(self.address, max(self.size, mmap.PAGESIZE))

    def _show(self, address: int, rights: int) -> None:
        for image in self._images:
            _map(address + image.start, image.size, rights, mmap.MAP_PRIVATE | _FIXED, (self._file, image.offset))


class LinearMemory(ctypes.Structure):
    """One that the engine uses, which reads the first three words: see `routines.extent`.

    base: address. size: bytes that the guest may use. reserved: bytes that it may grow to. uses: that have ended.
    """

    _fields_ = (("base", c_size_t), ("size", c_size_t), ("reserved", c_size_t))
    base: int
    size: int
    reserved: int

    def __init__(self, base: int, size: int, reserved: int, original: Original, guard: int) -> None:
        super().__init__(base, size, reserved)
        self.original = original
        self.distance = (original.address - base) % (1 << 64)
        self.uses = 0
        self._guard = guard

    def grow(self, size: int) -> None:
        """Let the guest use this many bytes; new ones are zero."""
        _check(_mprotect(self.base + self.size, size - self.size, _WRITE))
        self.size = size

    def shrink(self) -> None:
        """What it has grown by is gone."""
        start, size = self.base + self.original.size, self.size - self.original.size
        if size:
            _map(start, size, _NONE, _NEW | _FIXED)
            self.size = self.original.size

    def drop(self) -> None:
        """Every page is what it was at first, and none is there."""
        _check(_madvise(self.base, self.original.size, mmap.MADV_DONTNEED))

    def unmap(self) -> None:
        _munmap(self.base, self.reserved + self._guard)


def _map(address: int | None, size: int, rights: int, flags: int, source: tuple[int, int] = (-1, 0)) -> int:
    """source: a file and an offset in it."""
    found: int = _mmap(address, size, rights, flags, *source)
    _check(found == _FAILED)
    return found


def _check(failed: int) -> None:
    if failed:
        error = ctypes.get_errno()
        raise OSError(error, f"a guest's memory: {os.strerror(error)}")
