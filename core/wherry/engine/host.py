"""Where a plan runs: addresses, files and processes of this machine. Never compared, never part of a plan."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path


def default_cache() -> Path:
    """`$WHERRY_CACHE`, else `$XDG_CACHE_HOME/wherry`, else `~/.cache/wherry`."""
    if chosen := os.environ.get("WHERRY_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wherry"


@dataclass(frozen=True)
class Host:
    """address: where http plans listen. workers: processes that serve; 0 is one a core.
    stdio: the guest's stdin, stdout and stderr as open file descriptors of this process.
    cache: folder of blobs and compiled code. metrics: file of the shared counters; None keeps them in memory only.
    admin: `host:port` of the Prometheus listener; None has none. reuse: requests an instance serves before it is
    dropped; 1 is a fresh instance for each.
    """

    address: str = "127.0.0.1"
    workers: int = 0
    stdio: tuple[int, int, int] = (0, 1, 2)
    cache: Path = field(default_factory=default_cache)
    metrics: Path | None = None
    admin: str | None = None
    reuse: int = 1
