"""What a worker sees of the file system: an empty root, with what its guest was granted, /proc of its own, and nothing.

/            tmpfs, read-only in the end
/proc        of the worker's own pid namespace
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

from wherry.engine.prepare import Prepared
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


def change_root(prepared: Prepared, files: Iterable[tuple[str, str]], empty: str) -> Prepared:
    """Make `empty`, a folder, the root, with the plan's mounts; what to load as it reads from there.

    files: more that is seen, each with its place. Raises StartError `mount`, OSError.
    """
    mount("tmpfs", empty, "tmpfs", _HOLD, "mode=755,size=1m")
    mounts = grant(prepared.plan.mounts, empty)
    for source, place in files:
        bind_file(source, place, empty)
    bind_file(os.devnull, os.devnull, empty, 0)
    os.mkdir(f"{empty}/proc")
    mount("proc", f"{empty}/proc", "proc", _HOLD)
    os.chdir(empty)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")
    mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | _HOLD)
    return replace(prepared, plan=replace(prepared.plan, mounts=mounts)) if mounts else prepared
