"""Pages that every request writes, given to a memory all at once before its next request.

A fresh instance begins with memory that is copied on write: the guest pays a fault for each page that it writes, and
two if it reads the page first. For JavaScript and Python that is a quarter of a request. Here the same copies are made
by one call, as soon as the engine has dropped what the last request wrote. They hold what the image holds: pages that
were guessed wrong cost time and nothing else (docs/decisions/0024).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from wherry.engine import capi
from wherry.engine.http.pages import Memory, Pages, PageTable, memories_of

LESSONS = 3
"""Requests that are looked at: what each of them wrote, the next one will write too."""

FEWEST = 16
"""Pages: below it, asking for them costs as much as their faults, or more."""

MOST_MEMORIES = 16
"""Memories that are kept ready: each holds its pages until its next request, however long that takes."""

SELDOM = 1024
"""Requests after which new memories are looked for; more often at first."""


class Lessons:
    """What every request wrote: pages by the offset of their memory's image, which all instances share. Pure."""

    def __init__(self) -> None:
        self.taken = 0
        self.pages: dict[int, set[int]] = {}

    def add(self, written: Iterable[tuple[Memory, set[int]]]) -> None:
        """One request's. Other memories may be there too, of requests that are half way."""
        largest: dict[int, set[int]] = {}
        for memory, pages in written:
            largest[memory.offset] = max(largest.get(memory.offset, set()), pages, key=len)
        if self.taken:
            largest = {offset: pages & largest.get(offset, set()) for offset, pages in self.pages.items()}
        self.pages = largest
        self.taken += 1

    @property
    def worth(self) -> dict[int, set[int]]:
        """The pages of memories that have enough of them. Another lesson makes them fewer, never more."""
        return {offset: pages for offset, pages in self.pages.items() if len(pages) >= FEWEST}

    def ready(self, memories: Iterable[Memory]) -> list[Pages]:
        """What to keep ready of these memories."""
        worth = self.worth
        return [Pages(memory, worth[memory.offset]) for memory in memories if memory.offset in worth][:MOST_MEMORIES]


class Prefault:
    """A worker's; the threads that run its guests share it. code: the file that was loaded.

    size: bytes of the code's largest memory at its start. What it grows by is closed again before each request: pages
    there would cost more than they save.
    """

    def __init__(self, code: str | Path, size: int) -> None:
        self._code, self._size = Path(os.path.realpath(code)), size
        self._table: PageTable | None = None
        self._lessons = Lessons()
        self._drops, self._due = 0, 2
        self.active = True  # whether `dropped` has anything to do
        self.studies = False  # whether `drop` has to see the next store that ends
        self._ready: list[Pages] = []

    def drop(self, store: int) -> None:
        """Delete a store, and make its memories ready for their next instance."""
        if self.studies:
            self._study(store)
        else:
            capi.store_delete(store)
        self.dropped()

    def dropped(self) -> None:
        """A store is deleted: make its memories ready for their next instance."""
        self._drops += 1
        self.studies = self._drops + 1 >= self._due
        table = self._table
        for pages in self._ready:
            if table is not None and table.lacks(pages) and not table.populate(pages):
                self._give_up()

    def close(self) -> None:
        """Nothing is made ready from now on."""
        self._give_up()
        table, self._table = self._table, None
        if table is not None:
            table.close()

    def _study(self, store: int) -> None:
        """Delete a store and see which pages that frees, until enough is known; then look for memories that are new."""
        self._due = self._drops + 1 + min(self._drops + 1, SELDOM)
        memories = memories_of(self._code, self._size, Path("/proc/self/maps").read_text())
        if self._lessons.taken < LESSONS:
            self._learn(store, memories)
        else:
            capi.store_delete(store)
            self._ready = self._lessons.ready(memories)

    def _learn(self, store: int, memories: list[Memory]) -> None:
        try:
            table = self._table = self._table or PageTable()
        except OSError:  # it is hidden from us: everything works without
            self._give_up()
            capi.store_delete(store)
            return
        before = [table.written(memory) for memory in memories]
        capi.store_delete(store)
        freed = [pages - table.written(memory) for memory, pages in zip(memories, before, strict=True)]
        self._lessons.add(zip(memories, freed, strict=True))
        if not self._lessons.worth:
            self._give_up()

    def _give_up(self) -> None:
        self._ready, self._due, self.active = [], sys.maxsize, False
