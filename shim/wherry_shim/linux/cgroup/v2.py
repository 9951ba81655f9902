"""A cgroup of the unified hierarchy (Documentation/admin-guide/cgroup-v2.rst)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress

from wherry_shim.linux.cgroup.files import (
    kill_processes,
    make_directory,
    processes,
    read,
    read_int,
    read_limit,
    read_table,
    remove_directory,
    wait,
    write,
)
from wherry_shim.linux.cgroup.interface import CgroupError, Resources
from wherry_shim.linux.cgroup.resources import DEFAULT_PERIOD, UNLIMITED, Limits, limits
from wherry_shim.linux.cgroup.statistics import Cpu, Memory, Statistics

_MICROSECOND = 1000  # in nanoseconds
_LEAST_SHARES, _MOST_SHARES = 2, 1 << 18


class V2Cgroup:
    """See `Cgroup`. root: mount point of the hierarchy."""

    slow = False

    def __init__(self, path: str, root: str) -> None:
        self.path = path
        self._root = root
        self._directory = f"{root}{path}"
        self.directories = [self._directory]

    def create(self, resources: Resources) -> None:
        make_directory(self._directory)
        self._delegate()
        self.update(resources)

    def update(self, resources: Resources) -> None:
        for name, value in files(limits(resources)):
            path = self._file(name)
            if name == "memory.swap.max" and not os.path.exists(path):
                continue  # a kernel that does not count swap
            write(path, value)

    def join(self, pid: int) -> None:
        write(self._file("cgroup.procs"), pid)

    def descriptor(self) -> int:
        try:
            return os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise CgroupError(f"{self._directory}: cannot be opened: {error.strerror}") from error

    def pids(self) -> list[int]:
        return processes(self._directory)

    def kill(self) -> None:
        if os.path.exists(self._file("cgroup.kill")):  # Linux 5.14
            write(self._file("cgroup.kill"), 1)
        kill_processes(self._directory)

    def freeze(self) -> None:
        write(self._file("cgroup.freeze"), 1)
        events = self._file("cgroup.events")
        try:
            wait(lambda: read_table(events).get("frozen") == 1, f"{events}: does not become frozen")
        except CgroupError:
            self.thaw()
            raise

    def thaw(self) -> None:
        write(self._file("cgroup.freeze"), 0)

    def oom_kills(self) -> int:
        return read_table(self._file("memory.events")).get("oom_kill", 0)

    def statistics(self) -> Statistics:
        return Statistics(
            version=2,
            cpu=self._cpu(),
            memory=self._memory(),
            pids=read_int(self._file("pids.current")),
            pids_limit=read_limit(self._file("pids.max")),
            oom_kills=self.oom_kills(),
        )

    def remove(self) -> None:
        remove_directory(self._directory)

    def _file(self, name: str) -> str:
        return f"{self._directory}/{name}"

    def _delegate(self) -> None:
        """Controllers, from the root down to the parent. One that cannot be had is missed by its first limit."""
        above = self._root
        for part in self.path.strip("/").split("/"):
            wanted = set(read(f"{above}/cgroup.controllers").split())
            for controller in wanted - set(read(f"{above}/cgroup.subtree_control").split()):
                with suppress(CgroupError):
                    write(f"{above}/cgroup.subtree_control", f"+{controller}")
            above = f"{above}/{part}"

    def _cpu(self) -> Cpu:
        stat = read_table(self._file("cpu.stat"))
        return Cpu(
            usage=stat.get("usage_usec", 0) * _MICROSECOND,
            user=stat.get("user_usec", 0) * _MICROSECOND,
            system=stat.get("system_usec", 0) * _MICROSECOND,
            periods=stat.get("nr_periods", 0),
            throttled_periods=stat.get("nr_throttled", 0),
            throttled=stat.get("throttled_usec", 0) * _MICROSECOND,
        )

    def _memory(self) -> Memory:
        usage = read_int(self._file("memory.current"))
        return Memory(
            usage=usage,
            limit=read_limit(self._file("memory.max")),
            peak=read_int(self._file("memory.peak"), usage),  # Linux 5.19
            swap=read_int(self._file("memory.swap.current")),
            swap_limit=read_limit(self._file("memory.swap.max")),
            stat=read_table(self._file("memory.stat")),
            events=read_table(self._file("memory.events")),
        )


def files(wanted: Limits) -> Iterator[tuple[str, str]]:
    """Files of version 2 and their contents for limits in the words of version 1. Raises CgroupError. Pure.

    What `unified` names is written last and as it is.
    """
    if wanted.memory is not None:
        yield "memory.max", _or_max(wanted.memory)
    if (swap := _swap(wanted)) is not None:
        yield "memory.swap.max", _or_max(swap)
    if wanted.reservation is not None:
        yield "memory.low", _or_max(wanted.reservation)
    if wanted.shares is not None:
        yield "cpu.weight", str(weight(wanted.shares))
    if wanted.quota is not None or wanted.period is not None:
        yield "cpu.max", f"{_or_max(wanted.quota or UNLIMITED)} {wanted.period or DEFAULT_PERIOD}"
    if wanted.cpus is not None:
        yield "cpuset.cpus", wanted.cpus
    if wanted.mems is not None:
        yield "cpuset.mems", wanted.mems
    if wanted.pids is not None:
        yield "pids.max", _or_max(wanted.pids)
    yield from wanted.unified.items()


def weight(shares: int) -> int:
    """cpu.weight (1 to 10000, usually 100) for cpu.shares (2 to 262144, usually 1024).

    A curve through the three pairs, the one of runc from 1.3.2, so that containers of one pod compare.
    """
    power = math.log2(min(max(shares, _LEAST_SHARES), _MOST_SHARES))
    return math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))


def _swap(wanted: Limits) -> int | None:
    """Version 2 limits swap alone, the configuration gives memory and swap together."""
    if wanted.swap is None:
        return UNLIMITED if wanted.memory == UNLIMITED else None
    if wanted.swap == UNLIMITED:
        return UNLIMITED
    if wanted.memory is None or not 0 <= wanted.memory <= wanted.swap:
        raise CgroupError(
            f"linux.resources.memory.swap: got {wanted.swap} with a memory limit of {wanted.memory}, "
            "expected at least that limit, because it counts memory and swap together"
        )
    return wanted.swap - wanted.memory


def _or_max(value: int) -> str:
    return "max" if value == UNLIMITED else str(value)
