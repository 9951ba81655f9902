"""What a cgroup uses: values of one shape for both versions of the interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cpu:
    """Nanoseconds since the cgroup was made; periods are counted while it has a quota."""

    usage: int
    user: int
    system: int
    periods: int = 0
    throttled_periods: int = 0
    throttled: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. A limit of None is none. stat: memory.stat, whose names differ between the versions.

    events: how often something happened: `max`, the limit was met; `oom_kill`; others as the version names them.
    """

    usage: int
    limit: int | None
    peak: int
    swap: int
    swap_limit: int | None
    stat: Mapping[str, int]
    events: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Statistics:
    """version: of the cgroup interface, 1 or 2. pids: processes and threads."""

    version: int
    cpu: Cpu
    memory: Memory
    pids: int
    pids_limit: int | None
    oom_kills: int
