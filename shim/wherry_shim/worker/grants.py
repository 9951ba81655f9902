"""Mounts of a plan in the worker's root, and the folders that its guest is given for them.

WASI has only folders: a granted file is offered in one that holds nothing but the granted files. Folders lie where the
guest sees them; so do files inside of granted folders. All other files lie below /dev/files.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from operator import attrgetter

from wherry.errors import StartError
from wherry.plan.model import Mount
from wherry_shim.linux.mounts import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REC, MS_REMOUNT, mount

FILES = "/dev/files"
_NEEDED = frozenset({"", "proc", "dev"})
"""First parts of paths that the worker needs for itself."""
_READ_ONLY = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC


def grant(mounts: Sequence[Mount], root: str) -> tuple[Mount, ...]:
    """Mount them below `root`, a folder; what the guest is given, with paths as they are once that is the root.

    Raises StartError `mount`.
    """
    given: dict[str, Mount] = {}
    for each in sorted((_checked(each) for each in mounts), key=attrgetter("guest")):
        seen = _file(each, given, root) if _is_file(each) else _folder(each, root)
        given[seen.guest] = seen
    return tuple(given[guest] for guest in sorted(given))


def _checked(granted: Mount) -> Mount:
    parts = granted.guest.strip("/").split("/")
    if granted.guest[:1] != "/" or parts[0] in _NEEDED or {"", ".", ".."}.intersection(parts):
        raise StartError(
            "mount",
            f"mount {granted.guest}: expected an absolute path without . and .., and not /, /proc or /dev",
            cure="mount it elsewhere",
        )
    return replace(granted, guest=f"/{'/'.join(parts)}")


def _is_file(granted: Mount) -> bool:
    try:
        mode = os.stat(granted.host).st_mode
    except OSError as error:
        raise _fault(granted, f"{granted.host}: {error.strerror}", "mount what is on the node") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise _fault(granted, f"{granted.host} is neither a file nor a folder", "leave it out: a guest cannot use it")
    return stat.S_ISREG(mode)


def _folder(granted: Mount, root: str) -> Mount:
    _bind(granted, granted.guest, root, is_file=False)
    return replace(granted, host=granted.guest)


def _file(granted: Mount, given: dict[str, Mount], root: str) -> Mount:
    """The folder of the file. What is around the file in it stays as read-only as it was: the kernel sees to that."""
    parent, name = os.path.split(granted.guest)
    around = _around(parent, given.values())
    place = parent if around else FILES + parent.rstrip("/")
    _bind(granted, f"{place}/{name}", root, is_file=True)
    before = around or given.get(parent)
    if around and (granted.readonly or not around.readonly):
        return around
    return Mount(place, parent, granted.readonly and (before is None or before.readonly))


def _around(path: str, given: Iterable[Mount]) -> Mount | None:
    """The innermost granted folder that the path lies in."""
    folders = [each for each in given if each.host == each.guest and f"{path}/".startswith(f"{each.guest}/")]
    return max(folders, key=lambda each: len(each.guest), default=None)


def _bind(granted: Mount, inside: str, root: str, *, is_file: bool) -> None:
    try:
        with _placed(root, inside, is_file=is_file) as place:
            mount(granted.host, place, None, MS_BIND | MS_REC)
        if granted.readonly:
            with _placed(root, inside, is_file=is_file) as place:
                mount(None, place, None, _READ_ONLY)
    except OSError as error:
        raise _fault(granted, f"cannot be mounted there ({error.strerror})", "mount it elsewhere") from None


def bind_file(source: str, inside: str, root: str, flags: int = _READ_ONLY) -> None:
    """A file that the worker needs for itself. flags: 0 for one that stays as it is. Raises OSError."""
    with _placed(root, inside, is_file=True) as place:
        mount(source, place, None, MS_BIND)
    if flags:
        with _placed(root, inside, is_file=True) as place:
            mount(None, place, None, flags)


@contextmanager
def _placed(root: str, inside: str, *, is_file: bool) -> Iterator[str]:
    """The place below root, made where it is missing. No link is followed: others may have written the volume."""
    here = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        *above, last = inside.strip("/").split("/")
        for part in above:
            here = _below(here, part, is_file=False)
        here = _below(here, last, is_file=is_file)
        yield f"/proc/self/fd/{here}"
    finally:
        os.close(here)


def _below(folder: int, part: str, *, is_file: bool) -> int:
    """A folder or file in a folder, which is closed when it is found. Raises OSError."""
    with suppress(FileExistsError):
        if is_file:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644, dir_fd=folder))
        else:
            os.mkdir(part, 0o755, dir_fd=folder)
    below = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    if not (stat.S_ISREG if is_file else stat.S_ISDIR)(os.fstat(below).st_mode):
        os.close(below)
        raise OSError(errno.ENOTDIR, f"{part} is another kind of file")
    os.close(folder)
    return below


def _fault(granted: Mount, found: str, cure: str) -> StartError:
    return StartError("mount", f"mount {granted.guest}: {found}", cure=cure)
