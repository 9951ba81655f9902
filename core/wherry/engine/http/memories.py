"""Linear memories that are used again: what a request wrote is written over, and nothing else is touched.

The engine's own pool gives a memory's pages back to the kernel between requests. The next one pays for them again: a
fault for what it reads, a page and a copy for what it writes. Here the pages stay (docs/decisions/0054).
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from ctypes import addressof, c_void_p
from pathlib import Path
from typing import Any

from wherry.engine import capi
from wherry.engine.http.linear import LinearMemory, Original
from wherry.engine.http.written import Written
from wherry.engine.placed import placed
from wherry.engine.routines import extent, itself

MOST_READY = 16
"""Memories of one size that keep their pages: each holds them until its next request, however long that takes."""

SELDOM = 1024
"""Uses after which a memory gives its pages back: those that one request wrote and no other needs."""

_EXTENT, _ITSELF = (ctypes.cast(routine, c_void_p).value or 0 for routine in (extent, itself))


class Memories:
    """Of a guest whose code, a file, was compiled to be `lifted`. Made before a fork, mapped by a worker.

    limit: bytes that a memory may grow to. creator: for `new_engine`; close after the engine that has it.
    """

    def __init__(self, code: str | Path, limit: int) -> None:
        """Raises OSError."""
        self._file = os.open(code, os.O_RDONLY | os.O_CLOEXEC)
        self._limit = limit
        self._originals: dict[int, Original] = {}
        self._free: defaultdict[int, list[LinearMemory]] = defaultdict(list)
        self._all: dict[int, LinearMemory] = {}  # by the address that the engine knows one by
        self._here, self._making = threading.local(), threading.Lock()
        self._calls = capi.NewMemory(self._new), capi.GrowMemory(self._grow)
        self._grow_at = ctypes.cast(self._calls[1], c_void_p).value or 0
        self._written: Written | None = None
        self.creator = capi.MemoryCreator(None, self._calls[0], None)

    def lease(self) -> Lease:
        """For a store, and for the next one when that has ended; in the process that runs it."""
        with self._making:
            self._written = self._written or Written()
        return Lease(self._here, self._take_back)

    def close(self) -> None:
        for memory in self._all.values():
            memory.unmap()
        for original in self._originals.values():
            original.unmap()
        if self._written:
            self._written.close()
        os.close(self._file)

    def _take_back(self, memory: LinearMemory) -> None:
        free = self._free[memory.original.size]
        memory.shrink()
        memory.uses += 1
        ready = len(free) < MOST_READY and memory.uses % SELDOM and self._written and self._written.restore(memory)
        if not ready:
            memory.drop()
        free.append(memory)

    # The engine's side, in the guest's thread. What is raised there would be lost.

    def _new(
        self, _environment: int, _type: int, minimum: int, _most: int, reserved: int, guard: int, made: Any
    ) -> int | None:
        try:
            memory = self._taken(minimum) or self._made(minimum, reserved, guard)
        except OSError as error:
            return _failed(str(error.strerror))
        self._here.lease.add(memory)
        linear: capi.LinearMemory = made.contents
        linear.environment, linear.get, linear.grow, linear.end = addressof(memory), _EXTENT, self._grow_at, _ITSELF
        return None

    def _taken(self, size: int) -> LinearMemory | None:
        try:
            return self._free[size].pop()
        except IndexError:
            return None

    def _made(self, size: int, reserved: int, guard: int) -> LinearMemory:
        with self._making:
            original = self._originals.get(size)
            if original is None:
                images = [image for image in placed(self._file) if image.memory == size]
                original = self._originals[size] = Original(self._file, size, images)
            memory = original.memory(max(reserved, size), guard)
            self._all[addressof(memory)] = memory
        return memory

    def _grow(self, environment: int, size: int) -> int | None:
        memory = self._all[environment]
        if size > min(self._limit, memory.reserved):
            return _failed(f"a memory of {size} bytes, where limits.memory is {self._limit}")
        try:
            memory.grow(size)
        except OSError as error:
            return _failed(str(error.strerror))
        return None


class Lease:
    """Memories of one store at a time."""

    def __init__(self, here: threading.local, take_back: Callable[[LinearMemory], None]) -> None:
        self._here, self._take_back = here, take_back
        self._held: list[LinearMemory] = []

    def begin(self) -> None:
        """What this thread instantiates from now on is the store's."""
        self._here.lease = self

    def add(self, memory: LinearMemory) -> None:
        self._held.append(memory)

    def end(self) -> None:
        """The store is gone."""
        while self._held:
            self._take_back(self._held.pop())


def _failed(sentence: str) -> int:
    error: int = capi.error_new(sentence.encode())
    return error
