"""A cgroup as the shim uses it, whichever version the kernel offers and whoever drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wherry.errors import WherryError
from wherry_shim.linux.cgroup.statistics import Statistics

Resources = Mapping[str, Any]
"""`linux.resources` of an OCI runtime configuration (config-linux.md, "Control groups")."""


class CgroupError(WherryError):
    """A cgroup that could not be made, limited, frozen, emptied or removed. Says which, and what the kernel said."""


class Cgroup(Protocol):
    """One container's cgroup. Every method but `pids` and `oom_kills` raises CgroupError for what the kernel refuses.

    path: as the kernel tells it, under the hierarchies' roots. slow: whether another program is asked to make, change
    and remove it.
    """

    path: str
    slow: bool

    @property
    def directories(self) -> Sequence[str]:
        """Where it lies: one folder in each hierarchy. The first has all its processes."""
        ...

    def create(self, resources: Resources) -> None:
        """Make it, with limits. One that is there already is limited anew."""

    def update(self, resources: Resources) -> None:
        """Change limits in place; what is not named stays."""

    def join(self, pid: int) -> None:
        """Move this process into it. Takes 8 to 13 ms after a pause of some 30 ms: a grace period of the kernel."""

    def descriptor(self) -> int | None:
        """A new descriptor of its directory for `clone(cgroup=)`; None where children cannot be born into it."""

    def pids(self) -> list[int]:
        """Processes in it and in cgroups below; none if it is gone."""

    def kill(self) -> None:
        """Send SIGKILL to all, and wait until it is empty, two seconds at most."""

    def freeze(self) -> None:
        """Stop all processes; returns when they stand still."""

    def thaw(self) -> None:
        """Let them go on."""

    def oom_kills(self) -> int:
        """How many processes the kernel killed here for want of memory; 0 if it is gone."""

    def statistics(self) -> Statistics:
        """What it uses and may use."""

    def remove(self) -> None:
        """Remove it and cgroups below it, none above it. It must be empty. One that is gone is no error."""
