"""What a worker sees of the file system: an empty root, with what its guest was granted, /proc of its own, and nothing.

The planner makes it in a mount namespace of its own, and the worker enters that.

/            tmpfs, read-only in the end
/proc        of the worker's own pid namespace, mounted by the worker itself
/dev/null    the node's
<guest>      each mount of the plan
/etc/…       how to find hosts, for guests that may send requests
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from wherry.errors import StartError
from wherry.plan.model import Mount, RunPlan
from wherry_shim.linux.calls import Call, call
from wherry_shim.linux.mounts import (
    MNT_DETACH,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    mount,
    pivot_root,
    umount,
)
from wherry_shim.linux.namespaces import CLONE_NEWNS, unshare

_HOLD = MS_NOSUID | MS_NODEV | MS_NOEXEC
_FLAGS = {"ro": MS_RDONLY, "rw": 0, "bind": MS_BIND, "rbind": MS_BIND | MS_REC, "nosuid": MS_NOSUID, "nodev": MS_NODEV}

ImageMounts = Iterable[tuple[str, str, Sequence[str]]]
"""Kind, source and options of each mount that makes up a container's root file system."""


def own_mounts() -> None:
    """From here on what is mounted is seen by this process alone. Raises OSError."""
    unshare(CLONE_NEWNS)
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def mount_image(mounts: ImageMounts, target: Path, *, readonly: bool = True) -> None:
    """A container's root file system. Raises OSError."""
    for kind, source, options in mounts:
        flags = MS_RDONLY * readonly
        for option in options:
            flags |= _FLAGS.get(option, 0)
        data = ",".join(option for option in options if option not in _FLAGS)
        mount(source, str(target), kind, flags, data or None)


def change_root(plan: RunPlan, files: Iterable[tuple[str, str]], empty: str) -> RunPlan:
    """Make `empty`, a folder, the root, with the plan's mounts; the plan as it reads from there.

    files: more that is seen, each with its place. Raises StartError `mount`, OSError.
    """
    mount("tmpfs", empty, "tmpfs", _HOLD, "mode=755,size=1m")
    for each in plan.mounts:
        _grant(each, empty)
    for source, place in files:
        _bind_file(source, empty + place)
    _bind_file(os.devnull, empty + os.devnull)
    os.mkdir(f"{empty}/proc")
    os.chdir(empty)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")
    mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | _HOLD)
    return replace(plan, mounts=tuple(replace(each, host=each.guest) for each in plan.mounts))


def own_proc() -> Call:
    """For whoever enters: what is at /proc is of the caller's own pid namespace."""
    return call("mount", b"proc", b"/proc", b"proc", _HOLD, None)


def _grant(granted: Mount, root: str) -> None:
    source = granted.host
    if not os.path.isdir(source):
        found = "a file" if os.path.exists(source) else "nothing"
        raise StartError(
            "mount",
            f"mount {granted.guest}: {source} is {found}, expected a folder",
            cure="mount the folder that holds it, without subPath",
        )
    inside = posixpath.normpath(granted.guest)
    if inside in {"/", "/proc", "/dev"} or inside.startswith(("/proc/", "/dev/")):
        raise StartError("mount", f"mount {granted.guest}: got a path that the worker needs, expected another")
    target = root + inside
    with suppress(FileExistsError):
        os.makedirs(target)
    mount(source, target, None, MS_BIND | MS_REC)
    if granted.readonly:
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | _HOLD)


def _bind_file(source: str, target: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(os.path.dirname(target))
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, target, None, MS_BIND)
