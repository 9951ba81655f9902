"""A cgroup in the hierarchies of version 1 (Documentation/admin-guide/cgroup-v1)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
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
from wherry_shim.linux.cgroup.hierarchy import SYSTEMD
from wherry_shim.linux.cgroup.interface import CgroupError, Resources
from wherry_shim.linux.cgroup.resources import Limits, limits
from wherry_shim.linux.cgroup.statistics import Cpu, Memory, Statistics

_PREFERRED = ("pids", "memory", "cpu", "freezer", SYSTEMD)
_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_ANEW = 5
_UNLIMITED = 1 << 62
"""Bytes; version 1 says so for no limit, less the size of a page."""


class V1Cgroup:
    """See `Cgroup`. roots: mount point of each controller. driven: the one whose directories another program makes."""

    slow = False

    def __init__(self, path: str, roots: Mapping[str, str], driven: str = "") -> None:
        self.path = path
        self._at = {name: f"{root}{path}" for name, root in roots.items() if name != driven}
        self._roots = roots
        directories = dict.fromkeys(self._at.values())  # cpu and cpuacct are often one
        first = next(self._at[name] for name in (*_PREFERRED, *self._at) if name in self._at)
        self.directories = [first, *(path for path in directories if path != first)]
        self._driven = [f"{roots[driven]}{path}"] if driven in roots else []

    def create(self, resources: Resources) -> None:
        for directory in self.directories:
            make_directory(directory)
        if "cpuset" in self._at:
            self._inherit_cpuset()
        self.update(resources)

    def update(self, resources: Resources) -> None:
        wanted = limits(resources)
        if wanted.unified:
            raise CgroupError(
                f"{self.path}: linux.resources.unified asks for {', '.join(sorted(wanted.unified))}, "
                "but this machine's cgroups are of version 1"
            )
        self._limit_memory(wanted)
        self._limit_cpu(wanted)
        self._set("cpuset", "cpuset.cpus", wanted.cpus)
        self._set("cpuset", "cpuset.mems", wanted.mems)
        self._set("pids", "pids.max", "max" if wanted.pids == -1 else wanted.pids)

    def join(self, pid: int) -> None:
        for directory in (*self.directories, *self._driven):
            write(f"{directory}/cgroup.procs", pid)

    def descriptor(self) -> None:
        return None

    def pids(self) -> list[int]:
        return processes(self.directories[0])

    def kill(self) -> None:
        with suppress(CgroupError):
            self.thaw()
        kill_processes(self.directories[0])

    def freeze(self) -> None:
        state = self._file("freezer", "freezer.state")
        tries = itertools.count(1)

        def frozen() -> bool:
            # The kernel can miss a process that forks: it is asked again, and now and then begins anew, as by runc.
            if next(tries) % _ANEW == 0:
                write(state, "THAWED")
            write(state, "FROZEN")
            return read(state) == "FROZEN"

        try:
            wait(frozen, f"{state}: does not become FROZEN")
        except CgroupError:
            write(state, "THAWED")
            raise

    def thaw(self) -> None:
        write(self._file("freezer", "freezer.state"), "THAWED")

    def oom_kills(self) -> int:
        if "memory" not in self._at:
            return 0
        return read_table(self._file("memory", "memory.oom_control")).get("oom_kill", 0)

    def statistics(self) -> Statistics:
        return Statistics(
            version=1,
            cpu=self._cpu(),
            memory=self._memory(),
            pids=read_int(self._file("pids", "pids.current")),
            pids_limit=read_limit(self._file("pids", "pids.max")),
            oom_kills=self.oom_kills(),
        )

    def remove(self) -> None:
        for directory in self.directories:
            remove_directory(directory)

    def _file(self, controller: str, name: str) -> str:
        try:
            return f"{self._at[controller]}/{name}"
        except KeyError:
            raise CgroupError(f"{self.path}: this machine has no {controller} controller, which {name} needs") from None

    def _set(self, controller: str, name: str, value: str | int | None) -> None:
        if value is not None:
            write(self._file(controller, name), value)

    def _inherit_cpuset(self) -> None:
        """A new cpuset is empty, and no process can join it before it has processors and memory nodes."""
        root = self._roots["cpuset"]
        above = root
        for part in self.path.strip("/").split("/"):
            here = f"{above}/{part}"
            for name in ("cpuset.cpus", "cpuset.mems"):
                if not read(f"{here}/{name}").strip():
                    write(f"{here}/{name}", read(f"{above}/{name}"))
            above = here

    def _limit_memory(self, wanted: Limits) -> None:
        self._set("memory", "memory.soft_limit_in_bytes", wanted.reservation)
        pair = [("memory.limit_in_bytes", wanted.memory), ("memory.memsw.limit_in_bytes", wanted.swap)]
        if wanted.swap is not None:
            both = self._file("memory", "memory.memsw.limit_in_bytes")
            if not os.path.exists(both):  # a kernel that does not count swap
                pair.pop()
            elif wanted.swap == -1 or wanted.swap > read_int(both):
                pair.reverse()  # the limit of both is never below the one of memory
        for name, value in pair:
            self._set("memory", name, value)

    def _limit_cpu(self, wanted: Limits) -> None:
        self._set("cpu", "cpu.shares", wanted.shares)
        try:
            self._set("cpu", "cpu.cfs_period_us", wanted.period)
            self._set("cpu", "cpu.cfs_quota_us", wanted.quota)
        except CgroupError:  # a shorter period with the old quota may be more than the parent has
            self._set("cpu", "cpu.cfs_quota_us", wanted.quota)
            self._set("cpu", "cpu.cfs_period_us", wanted.period)

    def _cpu(self) -> Cpu:
        ticks = read_table(self._file("cpuacct", "cpuacct.stat"))
        throttling = read_table(self._file("cpu", "cpu.stat"))
        return Cpu(
            usage=read_int(self._file("cpuacct", "cpuacct.usage")),
            user=ticks.get("user", 0) * _TICK,
            system=ticks.get("system", 0) * _TICK,
            periods=throttling.get("nr_periods", 0),
            throttled_periods=throttling.get("nr_throttled", 0),
            throttled=throttling.get("throttled_time", 0),
        )

    def _memory(self) -> Memory:
        directory = self._file("memory", "memory")
        usage = read_int(f"{directory}.usage_in_bytes")
        both = read_int(f"{directory}.memsw.usage_in_bytes", usage)
        return Memory(
            usage=usage,
            limit=read_limit(f"{directory}.limit_in_bytes", _UNLIMITED),
            peak=read_int(f"{directory}.max_usage_in_bytes"),
            swap=max(0, both - usage),
            swap_limit=read_limit(f"{directory}.memsw.limit_in_bytes", _UNLIMITED),
            stat=read_table(f"{directory}.stat"),
            events={"max": read_int(f"{directory}.failcnt"), **read_table(f"{directory}.oom_control")},
        )
