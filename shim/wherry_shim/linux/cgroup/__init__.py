"""Control groups: limits, counts and the end of all processes of one container (cgroups(7))."""

from __future__ import annotations

from wherry_shim.linux.cgroup.hierarchy import hierarchies
from wherry_shim.linux.cgroup.interface import Cgroup, CgroupError, Resources
from wherry_shim.linux.cgroup.v1 import V1Cgroup

__all__ = ["Cgroup", "CgroupError", "Resources", "open_cgroup"]


def open_cgroup(path: str) -> Cgroup:
    """The cgroup of an OCI configuration's `linux.cgroupsPath`, which need not exist yet.

    path: `/a/b/c`, from the root of the hierarchies, or systemd's `slice:prefix:name`. Raises CgroupError for another
    form, and when no hierarchy is mounted.
    """
    with open("/proc/self/mountinfo") as file:
        found = hierarchies(file.read())
    if not path.startswith("/") or ".." in path.split("/") or path.rstrip("/") == "":
        raise CgroupError(f"linux.cgroupsPath: got {path!r}, expected /a/path or slice:prefix:name")
    return V1Cgroup(path.rstrip("/"), found.v1)
