"""Numbers of a cgroup as containerd's metrics messages."""

from __future__ import annotations

from wherry_shim.linux.cgroup.statistics import Cpu, Memory, Statistics
from wherry_shim.proto import cgroup1_pb2 as v1
from wherry_shim.proto import cgroup2_pb2 as v2
from wherry_shim.proto.typeurl import unpacked
from wherry_shim.task.statistics import metrics

CPU = Cpu(usage=5_000_000, user=3_000_000, system=2_000_000, periods=9, throttled_periods=4, throttled=7_000_000)


def _statistics(version: int, memory: Memory, pids_limit: int | None = None) -> Statistics:
    return Statistics(version, CPU, memory, pids=3, pids_limit=pids_limit, oom_kills=1)


def test_version_1_has_its_own_names_and_counts_memory_with_swap() -> None:
    stat = {"rss": 60, "total_inactive_file": 30, "pgfault": 8, "total_pgmajfault": 2, "hierarchical_memsw_limit": 300}
    events = {"max": 5, "oom_kill_disable": 0, "under_oom": 0, "oom_kill": 1}
    unknown = {"new": 1, "swap": 9}  # the message's swap is another thing
    memory = Memory(usage=100, limit=200, peak=150, swap=10, swap_limit=300, stat=stat | unknown, events=events)
    told = metrics(_statistics(1, memory, 20))
    assert told.type_url == "io.containerd.cgroups.v1.Metrics"
    assert unpacked(told, v1.Metrics) == v1.Metrics(
        pids=v1.PidsStat(current=3, limit=20),
        cpu=v1.CPUStat(
            usage=v1.CPUUsage(total=5_000_000, user=3_000_000, kernel=2_000_000),
            throttling=v1.Throttle(periods=9, throttled_periods=4, throttled_time=7_000_000),
        ),
        memory=v1.MemoryStat(
            rss=60,
            total_inactive_file=30,
            pg_fault=8,
            total_pg_maj_fault=2,
            hierarchical_swap_limit=300,
            usage=v1.MemoryEntry(usage=100, limit=200, max=150, failcnt=5),
            swap=v1.MemoryEntry(usage=110, limit=300),
        ),
        memory_oom_control=v1.MemoryOomControl(oom_kill=1),
    )


def test_version_2_tells_microseconds_and_events() -> None:
    stat = {"anon": 60, "inactive_file": 30, "pgfault": 8, "thp_fault_alloc": 1}
    events = {"low": 0, "high": 2, "max": 5, "oom": 1, "oom_kill": 1, "sock_throttled": 3}
    memory = Memory(usage=100, limit=200, peak=150, swap=10, swap_limit=50, stat=stat, events=events)
    told = metrics(_statistics(2, memory, 20))
    assert told.type_url == "io.containerd.cgroups.v2.Metrics"
    assert unpacked(told, v2.Metrics) == v2.Metrics(
        pids=v2.PidsStat(current=3, limit=20),
        cpu=v2.CPUStat(
            usage_usec=5000, user_usec=3000, system_usec=2000, nr_periods=9, nr_throttled=4, throttled_usec=7000
        ),
        memory=v2.MemoryStat(
            anon=60,
            inactive_file=30,
            pgfault=8,
            usage=100,
            usage_limit=200,
            max_usage=150,
            swap_usage=10,
            swap_limit=50,
        ),
        memory_events=v2.MemoryEvents(high=2, max=5, oom=1, oom_kill=1),
    )


def test_no_limit_is_told_as_the_kernels_interface_would() -> None:
    memory = Memory(usage=1, limit=None, peak=1, swap=0, swap_limit=None, stat={}, events={})
    one = unpacked(metrics(_statistics(1, memory)), v1.Metrics)
    two = unpacked(metrics(_statistics(2, memory)), v2.Metrics)
    assert (one.memory.usage.limit, one.pids.limit) == (9223372036854771712, 0)
    assert (two.memory.usage_limit, two.memory.swap_limit, two.pids.limit) == (2**64 - 1,) * 3
