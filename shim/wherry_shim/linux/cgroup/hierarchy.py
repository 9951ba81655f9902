"""Where cgroup hierarchies are mounted, by /proc/self/mountinfo (proc(5)).

A directory in /sys/fs/cgroup alone says nothing: a controller is there only if its hierarchy is mounted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SYSTEMD = "name=systemd"
CONTROLLERS = frozenset(
    {"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory", "net_cls", "net_prio"}
    | {"perf_event", "pids", "rdma", "misc", SYSTEMD}
)


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """v1: mount point of each controller, several may share one. v2: the unified hierarchy, None if not mounted."""

    v1: Mapping[str, str]
    v2: str | None

    @property
    def unified(self) -> bool:
        """Whether version 2 rules resources; in a hybrid layout it has no controllers and version 1 does."""
        return self.v2 is not None and "memory" not in self.v1


def hierarchies(mountinfo: str) -> Hierarchies:
    """The hierarchies of this mount namespace. Of several mounts of one, that with the shortest path counts."""
    v1: dict[str, str] = {}
    v2: str | None = None
    for point, kind, options in sorted(map(_mount, mountinfo.splitlines()), key=lambda mount: len(mount[0])):
        if kind == "cgroup2":
            v2 = v2 or point
        elif kind == "cgroup":
            for controller in CONTROLLERS.intersection(options):
                v1.setdefault(controller, point)
    return Hierarchies(v1, v2)


def _mount(line: str) -> tuple[str, str, list[str]]:
    before, _, after = line.partition(" - ")
    kind, _, options = after.split(" ", 2)
    return before.split(" ")[4], kind, options.split(",")
