"""The shared counters: a fixed-size file of numbers that workers write and anyone may read, without locks.

Layout, version 1; every number is a little-endian u64.

    header  8 cells: magic "WHERRYM1", number of slots, cells in a slot, five reserved
    slots   one after the other, CELLS cells each; cell 0 is the pid of its writer

A slot has one writer, a worker. A worker that takes over a dead one's slot goes on counting in it, so that totals
never fall; `Slot.begin` clears the gauges. Readers add the slots up. A cell's meaning is its place in COUNTERS and
never moves: a new one takes a spare place at the end of its group.

CPU time is what the threads that run guests used, in microseconds. Memory is the worker's resident anonymous bytes (its
own, not the code that it shares with other workers by the page cache) multiplied by the seconds that it held them.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path

from wherry.errors import InputError

MAGIC = int.from_bytes(b"WHERRYM1", "little")
HEADER = 8

GAUGES = ("in_flight", "queued", "connections", "resident_bytes")
TOTALS = (
    "requests_2xx",
    "requests_3xx",
    "requests_4xx",
    "requests_5xx",
    "requests_cut",  # a connection closed before the response was whole
    "bad_requests",  # refused before a guest saw them
    "overloaded",  # answered 503 because the queue was full
    "instances",
    "bytes_in",
    "bytes_out",
    "cpu_microseconds",
    "memory_byte_seconds",
    "fuel",
    "latency_microseconds",
    "limit_timeout",
    "limit_fuel",
    "oom_memory",
    "commands",
)
TRAPS = (
    "unreachable",
    "out-of-bounds",
    "table-out-of-bounds",
    "indirect-call-to-null",
    "bad-signature",
    "divide-by-zero",
    "integer-overflow",
    "bad-conversion",
    "stack-overflow",
    "unaligned-atomic",
    "null-reference",
    "host",
    "other",
)
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram in seconds; one more bucket takes what is above."""


def _places() -> dict[str, int]:
    places = {"pid": 0}
    places |= {name: 1 + i for i, name in enumerate(GAUGES)}
    places |= {name: 8 + i for i, name in enumerate(TOTALS)}
    places |= {f"trap_{name}": 48 + i for i, name in enumerate(TRAPS)}
    places |= {f"latency_{i}": 72 + i for i in range(len(BUCKETS) + 1)}
    return places


COUNTERS: Mapping[str, int] = _places()
CELLS = 96

IN_FLIGHT, QUEUED, CONNECTIONS, RESIDENT = (COUNTERS[name] for name in GAUGES)
REQUESTS_2XX = COUNTERS["requests_2xx"]
_LATENCY_0 = COUNTERS["latency_0"]
_LATENCY_SUM = COUNTERS["latency_microseconds"]


class Slot:
    """One writer's counters. `cells[COUNTERS[name]] += n` is the whole interface of a hot path."""

    def __init__(self, cells: memoryview) -> None:
        self.cells = cells

    def begin(self) -> None:
        """Take the slot over: this process is its writer from now on."""
        self.cells[0] = os.getpid()
        self.end()

    def end(self) -> None:
        """The writer is gone: nothing is in flight any more."""
        for name in GAUGES:
            self.cells[COUNTERS[name]] = 0

    def add(self, name: str, amount: int = 1) -> None:
        self.cells[COUNTERS[name]] += amount

    def request(self, status: int, seconds: float) -> None:
        """A response went out whole: its class and its latency."""
        cells = self.cells
        cells[REQUESTS_2XX + status // 100 - 2] += 1
        cells[_LATENCY_0 + bisect_left(BUCKETS, seconds)] += 1
        cells[_LATENCY_SUM] += int(seconds * 1e6)

    def ended(self, category: str, reason: str) -> None:
        """Count how a guest ended (`wherry.plan.ending.Ending`); an ordinary exit counts nothing."""
        if category == "trap":
            self.add(f"trap_{reason}" if reason in TRAPS else "trap_other")
        elif (name := f"{category}_{reason}") in COUNTERS:
            self.add(name)


class Counters:
    """All slots of one run. The memory is shared with every process forked after it was made."""

    def __init__(self, memory: mmap.mmap, slots: int) -> None:
        self._memory = memory
        self._cells = memoryview(memory).cast("Q")
        self.slots = [Slot(self._cells[HEADER + i * CELLS : HEADER + (i + 1) * CELLS]) for i in range(slots)]

    def total(self) -> dict[str, int]:
        """The sum of all slots, by name; `pid` is left out."""
        return {
            name: sum(slot.cells[place] for slot in self.slots) for name, place in COUNTERS.items() if name != "pid"
        }

    def close(self) -> None:
        for slot in self.slots:
            slot.cells.release()
        self._cells.release()
        self._memory.close()


def create(path: Path | int | None, slots: int) -> Counters:
    """New counters, all zero: in a file, whose content is replaced, or in memory only. OSError as from open.

    path: of the file, or a descriptor that is open for reading and writing, which stays open.
    """
    size = 8 * (HEADER + slots * CELLS)
    if path is None:
        memory = mmap.mmap(-1, size)
    else:
        with open(path, "w+b", closefd=not isinstance(path, int)) as file:
            file.truncate(size)
            memory = mmap.mmap(file.fileno(), size)
    with memoryview(memory).cast("Q") as header:
        header[0], header[1], header[2] = MAGIC, slots, CELLS
    return Counters(memory, slots)


def attach(path: Path) -> Counters:
    """The counters that another process writes to `path`. InputError when it is no such file, or of another version."""
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        head = [int.from_bytes(file.read(8), "little") for _ in range(3)]
        if head[0] != MAGIC or head[2] != CELLS or size < 8 * (HEADER + head[1] * CELLS):
            raise InputError(f"{path}: not a file of counters that this version writes")
        return Counters(mmap.mmap(file.fileno(), 8 * (HEADER + head[1] * CELLS)), head[1])


def resident_bytes() -> int:
    """This process's resident memory less what it maps from files, in bytes (proc(5), statm)."""
    with open("/proc/self/statm", "rb") as file:
        _, resident, shared, *_ = file.read().split()
    return (int(resident) - int(shared)) * mmap.PAGESIZE


def summary(total: Mapping[str, int]) -> str:
    """One line for a person: what a run served and used."""
    served = sum(total[f"requests_{n}xx"] for n in (2, 3, 4, 5))
    failed = total["requests_5xx"] + total["requests_cut"]
    traps = sum(total[f"trap_{name}"] for name in TRAPS)
    requests = _count(served, "request") + (f" ({failed} failed)" if failed else "")
    parts = [
        requests if not total["commands"] else _count(total["commands"], "run"),
        _count(total["instances"], "instance"),
        f"{total['cpu_microseconds'] / 1e6:.3f} CPU-seconds",
        f"{total['memory_byte_seconds'] / (1 << 20):.1f} MiB-seconds",
    ]
    if total["fuel"]:
        parts.append(f"{total['fuel']} fuel")
    parts.append(_count(traps, "trap"))
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
