"""What a worker sees of the file system: an empty root, with what its guest was granted, /proc of its own, and nothing.

The planner makes it in a mount namespace of its own, and the worker enters that.

/            tmpfs, read-only in the end
/proc        of the worker's own pid namespace, mounted by the worker itself
/dev/null    the node's
<guest>      each folder of the plan
/dev/files   single files of the plan
/etc/…       how to find hosts and whom to trust, for guests that may send requests
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from wherry.plan.model import RunPlan
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
from wherry_shim.worker.grants import bind_file, grant

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
    mounts = grant(plan.mounts, empty)
    for source, place in files:
        bind_file(source, place, empty)
    bind_file(os.devnull, os.devnull, empty, 0)
    os.mkdir(f"{empty}/proc")
    os.chdir(empty)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")
    mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | _HOLD)
    return replace(plan, mounts=mounts)


def own_proc() -> Call:
    """For whoever enters: what is at /proc is of the caller's own pid namespace."""
    return call("mount", b"proc", b"/proc", b"proc", _HOLD, None)
