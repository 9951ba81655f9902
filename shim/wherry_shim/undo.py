"""What a container leaves on the node, written down before it is made: `<bundle>/wherry.undo`.

The host that runs the container removes it in its own way. When the host is gone, the launcher's `delete` goes by this
list, in Python here or in its own shell. One line for each thing:

    cgroup <folder>            kill what is in it, remove it
    runc <state> <program>     `runc delete --force`
    mount <path>               unmount
    file <path>                remove
    folder <path>              remove if it is empty
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from wherry_shim.linux.mounts import MNT_DETACH, umount

_NAME = "wherry.undo"
_TRIES = 100
_PAUSE = 0.01
_RUNC_SECONDS = 3.0


def write(bundle: Path, lines: Iterable[str]) -> None:
    """Before anything of it is made."""
    (bundle / _NAME).write_text("".join(f"{line}\n" for line in lines))


def forget(bundle: Path) -> None:
    """All of it is removed."""
    (bundle / _NAME).unlink(missing_ok=True)


def carry_out(bundle: Path) -> None:
    """Remove whatever is still there. May be repeated; without effect where there was nothing, or nothing is left."""
    with suppress(FileNotFoundError):
        for line in (bundle / _NAME).read_text().splitlines():
            what, where, *rest = line.split(" ", 2)
            with suppress(OSError, subprocess.SubprocessError):
                _undo(what, where, rest, bundle.name)
        forget(bundle)


def _undo(what: str, where: str, rest: list[str], container: str) -> None:
    match what:
        case "cgroup":
            _remove_cgroup(Path(where))
        case "runc":
            command = [*rest, "--root", where, "delete", "--force", container]
            subprocess.run(command, check=False, capture_output=True, timeout=_RUNC_SECONDS)
        case "mount":
            umount(where, MNT_DETACH)
        case "file":
            Path(where).unlink(missing_ok=True)
        case "folder":
            Path(where).rmdir()


def _remove_cgroup(folder: Path) -> None:
    for _ in range(_TRIES):
        if not folder.is_dir():
            return
        for pid in (folder / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        with suppress(OSError):
            folder.rmdir()
            return
        time.sleep(_PAUSE)
