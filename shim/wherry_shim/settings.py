"""Where things are on this node, and how pods share processes. From the zygote's environment, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.errors import InputError


@dataclass(frozen=True, slots=True)
class Settings:
    """state: sockets and what lives as long as the machine is up. cache: modules and compiled code.

    content: containerd's content store. runc: the program that runs ordinary containers.
    pods_per_host: how many pods share one shim process; 1 gives each its own. linger: seconds that one without a pod
    waits for the next.
    """

    state: Path = Path("/run/wherry")
    cache: Path = Path("/var/lib/wherry")
    content: Path = Path("/var/lib/containerd/io.containerd.content.v1.content")
    runc: str = "runc"
    pods_per_host: int = 32
    linger: int = 90

    @property
    def hosts(self) -> Path:
        return self.state / "hosts"

    @property
    def holder(self) -> Path:
        """The program that holds a pod's namespaces. Not in the state folder: many systems mount /run with noexec."""
        return self.cache / "holder"


def from_environment(environ: Mapping[str, str]) -> Settings:
    """WHERRY_STATE, _CACHE, _CONTENT, _RUNC, _PODS_PER_HOST and _LINGER. Raises InputError."""
    default = Settings()
    pods = environ.get("WHERRY_PODS_PER_HOST", str(default.pods_per_host))
    if not pods.isdecimal() or not int(pods):
        raise InputError(f"WHERRY_PODS_PER_HOST: got {pods!r}, expected a number from 1 on")
    linger = environ.get("WHERRY_LINGER", str(default.linger))
    if not linger.isdecimal():
        raise InputError(f"WHERRY_LINGER: got {linger!r}, expected a number of seconds from 0 on")
    return Settings(
        state=Path(environ.get("WHERRY_STATE", default.state)),
        cache=Path(environ.get("WHERRY_CACHE", default.cache)),
        content=Path(environ.get("WHERRY_CONTENT", default.content)),
        runc=environ.get("WHERRY_RUNC", default.runc),
        pods_per_host=int(pods),
        linger=int(linger),
    )
