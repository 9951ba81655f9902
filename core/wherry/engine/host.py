"""Where a plan runs: addresses, files and processes of this machine. Never compared, never part of a plan."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wherry.engine.eviction import QUOTA
from wherry.plan.model import RunPlan

Reload = Callable[[], RunPlan | None]
"""Asked twice a second while http is served; a plan that it returns replaces the one that runs, and no request is lost.
"""


def default_cache() -> Path:
    """`$WHERRY_CACHE`, else `$XDG_CACHE_HOME/wherry`, else `~/.cache/wherry`."""
    if chosen := os.environ.get("WHERRY_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wherry"


@dataclass(frozen=True)
class Serving:
    """How http plans meet their clients. Times are seconds.

    access_log: one JSON line for each request. max_body: bytes of a request body; None is no limit but the clock's.
    head: for a whole request head. idle: for a connection between requests. body: without a byte of a body that is
    due. write: without progress towards a client that does not read. linger: for a client to take a refusal while it
    still sends.
    """

    access_log: bool = False
    max_body: int | None = None
    head: float = 10.0
    idle: float = 75.0
    body: float = 30.0
    write: float = 30.0
    linger: float = 2.0


def silent(_line: str) -> None:
    """A report that nobody wants to see."""


@dataclass(frozen=True)
class Host:
    """address: where http plans listen. workers: processes that serve; 0 is one a core.
    stdio: the guest's stdin, stdout and stderr as open file descriptors of this process.
    cache: folder of blobs and compiled code. quota: its bytes. metrics: file of the shared counters, or an open
    descriptor of it; None keeps them in memory only. traps: a descriptor that takes the termination message of each
    request that trapped, for as long as its file is small; None has none.
    alone: where there is one worker, this process is it, and is to end after the run; nobody replaces it when it dies,
    and there is no reload and no admin. admin: `host:port` of the Prometheus listener; None has none.
    reuse: requests an instance serves before it is dropped; 1 is a fresh instance for each.
    serving: how http plans meet their clients.
    report: told one line for a person: a compile that takes long, the summary of what a run used.
    """

    address: str = "127.0.0.1"
    workers: int = 0
    stdio: tuple[int, int, int] = (0, 1, 2)
    cache: Path = field(default_factory=default_cache)
    quota: int = QUOTA
    metrics: Path | int | None = None
    traps: int | None = None
    alone: bool = False
    admin: str | None = None
    reuse: int = 1
    report: Callable[[str], None] = silent
    serving: Serving = Serving()
