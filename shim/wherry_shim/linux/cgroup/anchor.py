"""The process that keeps a scope: systemd ends one with its last process, and what its cgroup has counted with it.

So it lets a worker be born into the scope, and tells after the worker's end whether memory was wanting.
"""

from __future__ import annotations

import os
import platform
import signal
from contextlib import suppress

from wherry_shim.linux.holder import image

_NAME = "wherry-anchor"
_MFD_EXEC = 0x10  # Linux 6.3; older ones need not be asked
_UNTOUCHABLE = "-1000"
_QUIET = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]


def start() -> int:
    """Start one, a child of this process with no files of it; its pid. Raises OSError."""
    program = _program()
    try:
        os.write(program, image(platform.machine()))
        pid = os.posix_spawn(f"/proc/self/fd/{program}", [_NAME], {}, file_actions=_QUIET, setsid=True)
    finally:
        os.close(program)
    with suppress(OSError):  # without CAP_SYS_RESOURCE memory.oom.group ends it too
        _protect(pid)
    return pid


def end(pid: int) -> None:
    """End and reap it, whoever was quicker."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def is_anchor(pid: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/exe").startswith(f"/memfd:{_NAME} ")
    except OSError:
        return False


def _program() -> int:
    try:
        return os.memfd_create(_NAME, os.MFD_CLOEXEC | _MFD_EXEC)
    except OSError:
        return os.memfd_create(_NAME, os.MFD_CLOEXEC)


def _protect(pid: int) -> None:
    with open(f"/proc/{pid}/oom_score_adj", "w") as file:
        file.write(_UNTOUCHABLE)
