"""What a worker keeps of its rights before its guest runs: an ordinary user's, and less."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterable
from contextlib import suppress

from wherry_shim.linux.privileges import drop_bounding_set, drop_capabilities, no_new_privileges
from wherry_shim.linux.process import become_readable, die_with_parent
from wherry_shim.worker.start import User


def limit(rlimits: Iterable[tuple[int, int, int]], oom_score: str) -> None:
    """An OCI process's rlimits and oomScoreAdj. The kernel's refusal to raise one is no failure."""
    for kind, soft, hard in rlimits:
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (soft, hard))
    if oom_score:
        with suppress(OSError):
            descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
            os.write(descriptor, oom_score.encode())
            os.close(descriptor)


def give_up(user: User, parent: int) -> None:
    """Become this user, without a capability, and end with the parent. Raises OSError."""
    drop_bounding_set()
    os.setgroups(user.groups)
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    if user.umask >= 0:
        os.umask(user.umask)
    drop_capabilities()
    no_new_privileges()
    become_readable()
    die_with_parent(parent, signal.SIGKILL)  # a change of user clears it
