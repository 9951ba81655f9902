"""What a worker keeps of its rights before its guest runs: an ordinary user's, and less."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from wherry_shim.linux.privileges import drop_bounding_set, drop_capabilities, no_new_privileges
from wherry_shim.linux.process import die_with_parent


def limit(process: Mapping[str, Any]) -> None:
    """The OCI process's rlimits and oomScoreAdj. The kernel's refusal to raise one is no failure."""
    for each in process.get("rlimits") or ():
        kind = getattr(resource, each["type"], None)
        if kind is not None:
            with suppress(OSError, ValueError):
                resource.setrlimit(kind, (_rlimit(each["soft"]), _rlimit(each["hard"])))
    if (score := process.get("oomScoreAdj")) is not None:
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(score))


def give_up(user: Mapping[str, Any], parent: int) -> None:
    """Become the OCI process's user, without a capability, and end with the parent. Raises OSError."""
    drop_bounding_set()
    groups: Sequence[int] = user.get("additionalGids") or ()
    gid, uid = user.get("gid", 0), user.get("uid", 0)
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if (mask := user.get("umask")) is not None:
        os.umask(mask)
    drop_capabilities()
    no_new_privileges()
    die_with_parent(parent, signal.SIGKILL)  # a change of user clears it


def _rlimit(value: int) -> int:
    """The specification's numbers are unsigned: the largest is no limit."""
    return resource.RLIM_INFINITY if value >= 1 << 63 else value
