"""A cgroup that systemd keeps: a transient scope, in which limits are properties (systemd.resource-control(5)).

Needs systemd 244, for AllowedCPUs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from wherry_shim.linux.cgroup import anchor
from wherry_shim.linux.cgroup.dbus import Refused, Systemd
from wherry_shim.linux.cgroup.interface import Cgroup, CgroupError, Resources
from wherry_shim.linux.cgroup.resources import DEFAULT_PERIOD, UNLIMITED, Limits, limits
from wherry_shim.linux.cgroup.statistics import Statistics
from wherry_shim.linux.cgroup.v2 import files, weight

Property = tuple[str, tuple[str, Any]]
"""A name, and a D-Bus signature with a value."""

_INFINITY = (1 << 64) - 1
_SECOND = 1_000_000  # in microseconds
_QUOTA_STEP = 10_000  # systemd rounds down to a hundredth of a second
_MOST_PROCESSORS = 8191  # of a Linux kernel
_WORD = re.compile(r"[A-Za-z0-9:_.\\-]+")
_NO_UNIT = "org.freedesktop.systemd1.NoSuchUnit"
_EXISTS = "org.freedesktop.systemd1.UnitExists"


@dataclass(frozen=True, slots=True)
class Scope:
    """name: `<prefix>-<name>.scope`. slice: the one it lies in. path: where systemd puts its cgroup."""

    name: str
    slice: str
    path: str


def scope(path: str) -> Scope:
    """Read `slice:prefix:name`; no slice is system.slice. Raises CgroupError. Pure."""
    words = path.split(":")
    if len(words) != 3 or not all(map(_WORD.fullmatch, filter(None, words))) or not words[2]:
        raise CgroupError(f"linux.cgroupsPath: got {path!r}, expected slice:prefix:name")
    parent, prefix, name = words
    unit = f"{prefix}-{name}.scope"
    parent = parent or "system.slice"
    return Scope(unit, parent, f"{_expanded(parent)}/{unit}")


def _expanded(name: str) -> str:
    """`a-b.slice` lies in `a.slice`: /a.slice/a-b.slice. The root slice `-.slice` is no directory."""
    stem = name.removesuffix(".slice")
    if stem == "-":
        return ""
    parts = stem.split("-")
    if stem == name or not all(parts):
        raise CgroupError(f"linux.cgroupsPath: got the slice {name!r}, expected a name such as kubepods-pod1.slice")
    return "".join(f"/{'-'.join(parts[: count + 1])}.slice" for count in range(len(parts)))


class ScopeCgroup:
    """See `Cgroup`. An anchor, a process of three pages, holds the scope from `create` to `remove` or `kill`.

    files: the same cgroup by its files. version: of the interface.
    """

    slow = True

    def __init__(self, scope: Scope, files: Cgroup, version: int) -> None:
        self.path = scope.path
        self._scope = scope
        self._files = files
        self._version = version
        self._anchor: int | None = None

    @property
    def directories(self) -> Sequence[str]:
        return self._files.directories

    def create(self, resources: Resources) -> None:
        wanted = list(properties(limits(resources), self._version))
        try:
            self._anchor = anchor.start()
        except OSError as error:
            raise CgroupError(f"{self._scope.name}: its anchor does not start: {error}") from error
        try:
            with Systemd() as systemd:
                self._start(systemd, [*_unit(self._scope, self._anchor, self._version), *wanted])
            self._files.create(resources)
        except CgroupError:
            self._end_anchor()
            raise

    def update(self, resources: Resources) -> None:
        changed = list(properties(limits(resources), self._version))
        with Systemd() as systemd:
            systemd.call("SetUnitProperties", "sba(sv)", self._scope.name, True, changed)
        self._files.update(resources)

    def join(self, pid: int) -> None:
        self._files.join(pid)

    def descriptor(self) -> int | None:
        return self._files.descriptor()

    def pids(self) -> list[int]:
        return [pid for pid in self._files.pids() if not anchor.is_anchor(pid)]

    def kill(self) -> None:
        self._files.kill()

    def freeze(self) -> None:
        self._files.freeze()

    def thaw(self) -> None:
        self._files.thaw()

    def oom_kills(self) -> int:
        return self._files.oom_kills()

    def statistics(self) -> Statistics:
        found = self._files.statistics()
        return replace(found, pids=max(0, found.pids - 1))

    def remove(self) -> None:
        if pids := self.pids():
            raise CgroupError(f"{self._scope.name}: is still in use by processes {pids}")
        with suppress(CgroupError, FileNotFoundError):
            self.thaw()
        with Systemd() as systemd:
            try:
                systemd.run("StopUnit", "ss", self._scope.name, "replace")
            except Refused as error:
                if error.name != _NO_UNIT:
                    raise
            with suppress(Refused):
                systemd.call("ResetFailedUnit", "s", self._scope.name)
        self._end_anchor()
        self._files.remove()

    def _start(self, systemd: Systemd, wanted: list[Property]) -> None:
        try:
            systemd.run("StartTransientUnit", "ssa(sv)a(sa(sv))", self._scope.name, "replace", wanted, [])
        except Refused as error:
            if error.name != _EXISTS:
                raise
            systemd.call("ResetFailedUnit", "s", self._scope.name)  # what is left of one that failed
            systemd.run("StartTransientUnit", "ssa(sv)a(sa(sv))", self._scope.name, "replace", wanted, [])

    def _end_anchor(self) -> None:
        if self._anchor is not None:
            anchor.end(self._anchor)
        self._anchor = None


def _unit(scope: Scope, pid: int, version: int) -> Iterator[Property]:
    yield "Description", ("s", f"Wherry container {scope.name}")
    yield "Slice", ("s", scope.slice)
    yield "PIDs", ("au", [pid])
    yield "Delegate", ("b", True)
    yield "DefaultDependencies", ("b", False)
    for kind in ("Memory", "CPU", "Tasks", "IO" if version == 2 else "BlockIO"):
        yield f"{kind}Accounting", ("b", True)


def properties(wanted: Limits, version: int) -> Iterator[Property]:
    """Limits as properties of a unit; what systemd has no property for is written to the cgroup's files. Pure."""
    if version == 2:
        yield from _properties_of_version_2(wanted)
    else:
        if wanted.memory is not None:
            yield "MemoryLimit", ("t", _or_infinity(wanted.memory))
        if wanted.shares is not None:
            yield "CPUShares", ("t", wanted.shares)
    if wanted.quota is not None:
        yield "CPUQuotaPerSecUSec", ("t", _per_second(wanted.quota, wanted.period or DEFAULT_PERIOD))
    if wanted.period is not None:
        yield "CPUQuotaPeriodUSec", ("t", wanted.period)
    if wanted.pids is not None:
        yield "TasksMax", ("t", _or_infinity(wanted.pids))


def _properties_of_version_2(wanted: Limits) -> Iterator[Property]:
    names = {"memory.max": "MemoryMax", "memory.swap.max": "MemorySwapMax", "memory.low": "MemoryLow"}
    names["memory.high"] = "MemoryHigh"
    for file, value in files(wanted):
        if file in names:
            yield names[file], ("t", _INFINITY if value == "max" else int(value))
    if wanted.shares is not None:
        yield "CPUWeight", ("t", weight(wanted.shares))
    for name, numbers in (("AllowedCPUs", wanted.cpus), ("AllowedMemoryNodes", wanted.mems)):
        if numbers is not None:
            yield name, ("ay", bits(numbers))


def bits(numbers: str) -> bytes:
    """`0-2,7` as systemd takes it: one bit for each, the lowest first. Raises CgroupError. Pure."""
    found = 0
    try:
        for part in numbers.split(","):
            first, _, last = part.partition("-")
            for number in range(int(first), min(int(last or first), _MOST_PROCESSORS) + 1):
                found |= 1 << number
    except ValueError:
        raise CgroupError(f"linux.resources.cpu: got {numbers!r}, expected a list such as 0-2,7") from None
    return found.to_bytes((found.bit_length() + 7) // 8, "little")


def _per_second(quota: int, period: int) -> int:
    """Microseconds of processor time a second, in systemd's steps and never less than was asked for."""
    if quota == UNLIMITED:
        return _INFINITY
    return -(-quota * _SECOND // period // _QUOTA_STEP) * _QUOTA_STEP


def _or_infinity(value: int) -> int:
    return _INFINITY if value == UNLIMITED else value
