"""`linux.resources` of an OCI runtime configuration as values (config-linux.md, "Control groups"). Pure.

What no Wasm guest can use is passed over: devices, hugepages, RDMA, block and network classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wherry_shim.linux.cgroup.interface import CgroupError

UNLIMITED = -1
DEFAULT_PERIOD = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """memory, reservation and swap (memory and swap together) in bytes, quota and period in microseconds.

    UNLIMITED takes a limit away, None leaves it as it is; 0 is None, as for every runtime. unified: files of version
    2 with what is to be written into them.
    """

    memory: int | None = None
    swap: int | None = None
    reservation: int | None = None
    shares: int | None = None
    quota: int | None = None
    period: int | None = None
    cpus: str | None = None
    mems: str | None = None
    pids: int | None = None
    unified: Mapping[str, str] = field(default_factory=dict)


def limits(resources: Mapping[str, Any]) -> Limits:
    """Read them. Raises CgroupError for what is not of the specification's shape."""
    memory, cpu, pids = (_section(resources, name) for name in ("memory", "cpu", "pids"))
    return Limits(
        memory=_number(memory, "memory", "limit"),
        swap=_number(memory, "memory", "swap"),
        reservation=_number(memory, "memory", "reservation"),
        shares=_number(cpu, "cpu", "shares"),
        quota=_number(cpu, "cpu", "quota"),
        period=_number(cpu, "cpu", "period"),
        cpus=_text(cpu, "cpus"),
        mems=_text(cpu, "mems"),
        pids=_number(pids, "pids", "limit"),
        unified=_unified(resources),
    )


def _section(resources: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = resources.get(name) or {}
    if not isinstance(value, Mapping):
        raise CgroupError(f"linux.resources.{name}: got {value!r}, expected a mapping")
    return value


def _number(section: Mapping[str, Any], name: str, key: str) -> int | None:
    value = section.get(key)
    if value is None or value == 0:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise CgroupError(f"linux.resources.{name}.{key}: got {value!r}, expected an integer")
    return max(value, UNLIMITED)


def _text(section: Mapping[str, Any], key: str) -> str | None:
    value = section.get(key) or None
    if value is not None and not isinstance(value, str):
        raise CgroupError(f"linux.resources.cpu.{key}: got {value!r}, expected a list such as 0-2,7")
    return value


def _unified(resources: Mapping[str, Any]) -> Mapping[str, str]:
    files = _section(resources, "unified")
    for name, value in files.items():
        if "/" in name or "." not in name or not isinstance(value, str):
            raise CgroupError(f"linux.resources.unified: got {name!r}: {value!r}, expected a cgroup's file and a text")
    return files
