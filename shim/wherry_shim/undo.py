"""What a container leaves on the node, written down before it is made: `<sandbox's bundle>/wherry.undo/<container>`.

The host that runs the container removes it in its own way. When the host is gone, the launcher's `delete` goes by this
list, in Python here or in its own shell. The lists of a pod lie together, because containerd 2.3 removes the bundles of
the other containers and calls `delete` for the sandbox alone. One line for each thing:

    cgroup <folder>            kill what is in it and below it, remove it
    runc <state> <program>     `runc delete --force`
    mount <path>               unmount
    file <path>                remove
    folder <path>              remove if it is empty
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from wherry.errors import StartError
from wherry_shim.grouping import pod_of
from wherry_shim.linux.cgroup import CgroupError
from wherry_shim.linux.cgroup.files import kill_processes, remove_directory
from wherry_shim.linux.cgroup.files import write as write_value
from wherry_shim.linux.mounts import MNT_DETACH, umount

_NAME = "wherry.undo"
_RUNC_SECONDS = 3.0


def write(bundle: Path, lines: Iterable[str]) -> None:
    """Before anything of it is made. Raises OSError."""
    target = bundle.parent / pod_of(bundle, bundle.name) / _NAME
    target.mkdir(exist_ok=True)
    (target / bundle.name).write_text("".join(f"{line}\n" for line in lines))


def forget(bundle: Path) -> None:
    """All of it is removed."""
    for path in _lists(bundle):
        path.unlink(missing_ok=True)


def carry_out(bundle: Path) -> None:
    """Remove whatever is still there of this container and, if it is a sandbox, of its pod.

    May be repeated; without effect where there was nothing, or nothing is left.
    """
    own = bundle / _NAME
    for path in [*_lists(bundle), *(path for path in own.glob("*") if path.name != bundle.name)]:
        with suppress(FileNotFoundError):
            _carry_out(path)


def _lists(bundle: Path) -> Iterable[Path]:
    """Where the list of this container is: its bundle, which says in which pod it is, may be gone."""
    with suppress(OSError, StartError):
        return [bundle.parent / pod_of(bundle, bundle.name) / _NAME / bundle.name]
    return bundle.parent.glob(f"*/{_NAME}/{bundle.name}")


def _carry_out(path: Path) -> None:
    lines = [line.partition(" ") for line in path.read_text().splitlines()]
    for _, _, where in lines:
        _thaw(where)
    for what, _, where in lines:
        with suppress(OSError, CgroupError, subprocess.SubprocessError):
            _undo(what, where, path.name)
    path.unlink(missing_ok=True)


def _undo(what: str, where: str, container: str) -> None:
    match what:
        case "cgroup":
            _remove_cgroup(where)
        case "runc":
            state, _, program = where.rpartition(" ")
            command = [program, "--root", state, "delete", "--force", container]
            subprocess.run(command, check=False, capture_output=True, timeout=_RUNC_SECONDS)
        case "mount":
            umount(where, MNT_DETACH)
        case "file":
            Path(where).unlink(missing_ok=True)
        case "folder":
            Path(where).rmdir()


def _thaw(folder: str) -> None:
    """Version 1 keeps even SIGKILL from what is frozen."""
    with suppress(CgroupError):
        write_value(f"{folder}/freezer.state", "THAWED")


def _remove_cgroup(folder: str) -> None:
    kill_processes(folder)
    remove_directory(folder)
