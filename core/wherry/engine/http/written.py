"""Pages of a memory that are this process's own copies, found by the kernel and written over.

PAGEMAP_SCAN of /proc/self/pagemap, Linux 6.7 (admin-guide/mm/pagemap.rst). A page of the image's file holds what it
held at first. Every other page that exists may not: one that is present, and one that is swapped out or on its way to
another place, which the kernel counts as swapped.
"""

from __future__ import annotations

import ctypes
import os
import threading
from ctypes import addressof, c_int, c_ulong, c_void_p

from wherry.engine.http.linear import LinearMemory
from wherry.engine.routines import REGION, restore

MOST_PAGES = 1024
"""Of a memory between two requests. Each is copied at every request, whoever wrote it first."""

PAGEMAP_SCAN = 0xC060_6610
"""_IOWR('f', 16, struct pm_scan_arg)"""

_OF_FILE, _PRESENT, _SWAPPED = 1 << 2, 1 << 3, 1 << 4  # PAGE_IS_…

_ioctl = ctypes.PyDLL(None, use_errno=True).ioctl
_ioctl.argtypes = c_int, c_ulong, c_void_p


class _Scan(ctypes.Structure):
    """struct pm_scan_arg."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "size", "flags", "start", "end", "walk_end", "vec", "vec_len", "max_pages", "category_inverted",
            "category_mask", "category_anyof_mask", "return_mask",
        )
    )  # fmt: skip
    start: int
    end: int
    walk_end: int


class Written:
    """This process's view of its pages; any thread may use it."""

    def __init__(self) -> None:
        self._regions = ctypes.create_string_buffer(MOST_PAGES * REGION)
        self._scan = _Scan(
            size=ctypes.sizeof(_Scan),
            vec=addressof(self._regions),
            vec_len=MOST_PAGES,
            max_pages=MOST_PAGES,
            category_inverted=_OF_FILE,
            category_mask=_OF_FILE,
            category_anyof_mask=_PRESENT | _SWAPPED,
        )
        self._lock = threading.Lock()
        try:
            self._map = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # hidden from us
            self._map = -1

    def restore(self, memory: LinearMemory) -> bool:
        """Make a memory that has not grown what it was at first. False where that cannot be done.

        The kernel may be too old or refuse it, or there may be more than MOST_PAGES.
        """
        with self._lock:
            found = self._find(memory)
            if found >= 0:
                restore(addressof(self._regions), found, memory.distance)
        return found >= 0

    def _find(self, memory: LinearMemory) -> int:
        """How many regions were written; -1 when that is not known."""
        if self._map < 0:
            return -1
        scan = self._scan
        scan.start, scan.end = memory.base, memory.base + memory.size
        found: int = _ioctl(self._map, PAGEMAP_SCAN, addressof(scan))
        if found < 0:
            self.close()
        return found if scan.walk_end == scan.end else -1

    def close(self) -> None:
        if self._map >= 0:
            os.close(self._map)
        self._map = -1
