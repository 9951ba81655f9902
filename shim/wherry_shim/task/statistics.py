"""What a cgroup uses as containerd's metrics: of version 1 or 2, as the cgroup is. Pure.

Not filled in, because nothing of the kubelet reads it from a container: block I/O, pressure, usage of each processor.
"""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from wherry_shim.linux.cgroup.statistics import Memory, Statistics
from wherry_shim.proto import cgroup1_pb2 as v1
from wherry_shim.proto import cgroup2_pb2 as v2
from wherry_shim.proto.typeurl import packed

_MICROSECOND = 1000  # in nanoseconds
_UNLIMITED_V1 = (1 << 63) - 4096
"""What version 1 tells where there is no limit."""
_UNLIMITED_V2 = (1 << 64) - 1

_OTHER_NAMES = {
    "pgpgin": "pg_pg_in",
    "pgpgout": "pg_pg_out",
    "pgfault": "pg_fault",
    "pgmajfault": "pg_maj_fault",
    "hierarchical_memsw_limit": "hierarchical_swap_limit",
}
"""memory.stat of version 1 and the message, where they differ."""



def _numbers(message: type[Message]) -> frozenset[str]:
    """Names of plain fields: memory.stat's `swap` is a number, the message's an entry of its own."""
    return frozenset(field.name for field in message.DESCRIPTOR.fields if field.message_type is None)


_FIELDS_V1 = _numbers(v1.MemoryStat)
_FIELDS_V2 = _numbers(v2.MemoryStat)
_EVENTS_V2 = _numbers(v2.MemoryEvents)


def metrics(statistics: Statistics) -> Any:
    """`io.containerd.cgroups.v1.Metrics` or `io.containerd.cgroups.v2.Metrics`, for the answer of Stats."""
    return packed(_version_1(statistics) if statistics.version == 1 else _version_2(statistics))


def _version_1(statistics: Statistics) -> v1.Metrics:
    cpu, memory = statistics.cpu, statistics.memory
    return v1.Metrics(
        pids=v1.PidsStat(current=statistics.pids, limit=statistics.pids_limit or 0),
        cpu=v1.CPUStat(
            usage=v1.CPUUsage(total=cpu.usage, kernel=cpu.system, user=cpu.user),
            throttling=v1.Throttle(
                periods=cpu.periods, throttled_periods=cpu.throttled_periods, throttled_time=cpu.throttled
            ),
        ),
        memory=_memory_1(memory),
        memory_oom_control=v1.MemoryOomControl(
            oom_kill_disable=memory.events.get("oom_kill_disable", 0),
            under_oom=memory.events.get("under_oom", 0),
            oom_kill=statistics.oom_kills,
        ),
    )


def _memory_1(memory: Memory) -> v1.MemoryStat:
    """Its swap counts memory and swap together, as version 1 does."""
    message = v1.MemoryStat(
        usage=v1.MemoryEntry(
            limit=_or(memory.limit, _UNLIMITED_V1),
            usage=memory.usage,
            max=memory.peak,
            failcnt=memory.events.get("max", 0),
        ),
        swap=v1.MemoryEntry(limit=_or(memory.swap_limit, _UNLIMITED_V1), usage=memory.usage + memory.swap),
    )
    _fill(message, _renamed(memory.stat), _FIELDS_V1)
    return message


def _version_2(statistics: Statistics) -> v2.Metrics:
    cpu, memory = statistics.cpu, statistics.memory
    message = v2.Metrics(
        pids=v2.PidsStat(current=statistics.pids, limit=_or(statistics.pids_limit, _UNLIMITED_V2)),
        cpu=v2.CPUStat(
            usage_usec=cpu.usage // _MICROSECOND,
            user_usec=cpu.user // _MICROSECOND,
            system_usec=cpu.system // _MICROSECOND,
            nr_periods=cpu.periods,
            nr_throttled=cpu.throttled_periods,
            throttled_usec=cpu.throttled // _MICROSECOND,
        ),
        memory=_memory_2(memory),
    )
    _fill(message.memory_events, memory.events, _EVENTS_V2)
    return message


def _memory_2(memory: Memory) -> v2.MemoryStat:
    message = v2.MemoryStat(
        usage=memory.usage,
        usage_limit=_or(memory.limit, _UNLIMITED_V2),
        max_usage=memory.peak,
        swap_usage=memory.swap,
        swap_limit=_or(memory.swap_limit, _UNLIMITED_V2),
    )
    _fill(message, memory.stat, _FIELDS_V2)
    return message


def _renamed(stat: Mapping[str, int]) -> dict[str, int]:
    found = {}
    for name, value in stat.items():
        prefix, plain = ("total_", name[6:]) if name.startswith("total_") else ("", name)
        found[prefix + _OTHER_NAMES.get(plain, plain)] = value
    return found


def _fill(message: Message, values: Mapping[str, int], fields: frozenset[str]) -> None:
    """Kernels tell more than the message has."""
    for name, value in values.items():
        if name in fields:
            setattr(message, name, value)


def _or(limit: int | None, unlimited: int) -> int:
    return unlimited if limit is None else limit
