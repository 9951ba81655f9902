"""An OCI process's rlimits and oomScoreAdj, set by the host: a child then need not know of them."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def limit(pid: int, process: Mapping[str, Any]) -> None:
    """pid: of a child. process: of config.json. The kernel's refusal to raise one is no failure."""
    for each in process.get("rlimits") or ():
        kind = getattr(resource, each["type"], None)
        if kind is not None:  # this kernel knows it
            with suppress(OSError, ValueError):
                resource.prlimit(pid, kind, (_bound(each["soft"]), _bound(each["hard"])))
    if (score := process.get("oomScoreAdj")) is not None:
        with suppress(OSError):
            descriptor = os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
            os.write(descriptor, b"%d" % score)
            os.close(descriptor)


def _bound(value: int) -> int:
    """The specification's numbers are unsigned: the largest is no limit."""
    return resource.RLIM_INFINITY if value >= 1 << 63 else value
