"""Control groups: limits, counts and the end of all processes of one container (cgroups(7))."""

from __future__ import annotations

from functools import cache

from wherry_shim.linux.cgroup.dbus import expect_systemd
from wherry_shim.linux.cgroup.hierarchy import SYSTEMD, Hierarchies, hierarchies
from wherry_shim.linux.cgroup.interface import Cgroup, CgroupError, Resources
from wherry_shim.linux.cgroup.scope import ScopeCgroup, scope
from wherry_shim.linux.cgroup.v1 import V1Cgroup
from wherry_shim.linux.cgroup.v2 import V2Cgroup

__all__ = ["Cgroup", "CgroupError", "Resources", "open_cgroup"]


def open_cgroup(path: str) -> Cgroup:
    """The cgroup of an OCI configuration's `linux.cgroupsPath`, which need not exist yet.

    path: `/a/b/c`, from the root of the hierarchies, or systemd's `slice:prefix:name`. Raises CgroupError for another
    form, when no hierarchy is mounted, and for systemd's form where systemd does not run.
    """
    found = _mounted()
    if path.startswith("/"):
        return _by_files(_checked(path), found, "")
    unit = scope(path)
    expect_systemd()
    return ScopeCgroup(unit, _by_files(unit.path, found, SYSTEMD), 2 if found.unified else 1)


@cache
def _mounted() -> Hierarchies:
    """Read once: a node does not mount others while it runs, and has a hundred mounts and more."""
    with open("/proc/self/mountinfo") as file:
        return hierarchies(file.read())


def _by_files(path: str, found: Hierarchies, driven: str) -> Cgroup:
    if found.unified and found.v2 is not None:
        return V2Cgroup(path, found.v2)
    if not found.v1:
        raise CgroupError("/proc/self/mountinfo: no cgroup hierarchy is mounted, expected /sys/fs/cgroup")
    return V1Cgroup(path, found.v1, driven)


def _checked(path: str) -> str:
    parts = path.split("/")[1:]
    if not all(parts) or {".", ".."} & set(parts):
        raise CgroupError(f"linux.cgroupsPath: got {path!r}, expected /a/path or slice:prefix:name")
    return path
