"""A cache within its quota: what was used longest ago goes first, and nothing that a process has mapped.

Runs after a compile, because nothing else makes compiled code grow. An entry's lock stays: others may wait for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

QUOTA = 4 << 30
"""Bytes of a whole cache, unless a host says otherwise."""
_ENOUGH = 0.9
"""Of the quota, once it was exceeded: so that not every compile has to look for victims."""
_GRACE = 600.0
"""Seconds since its last use in which an entry stays, because its user may not have mapped it yet."""
_ABANDONED = 3600.0
"""Seconds after which an unfinished file is nobody's: no compile may take as long."""
_FORGOTTEN = 30 * 86_400.0
"""Seconds after which small leftovers go, and nobody can be about to use them."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """files: what goes together. size: bytes on the disk. used: seconds since the epoch."""

    files: tuple[Path, ...]
    inode: int
    size: int
    used: float


def touch(code: Path) -> None:
    """Say that an entry is in use; where that cannot be written it only counts as older."""
    with suppress(OSError):
        os.utime(code.with_suffix(".seal"))


def evict(cache: Path, quota: int = QUOTA) -> tuple[Path, ...]:
    """Remove compiled code and blobs until they take less than the quota; what was removed.

    May leave more than the quota: what is in use, or was a moment ago, stays. A mapped file could be unlinked safely,
    but its space would not come back, and its next start would compile again.
    """
    _sweep(cache)
    entries = sorted([*_code(cache / "aot"), *_blobs(cache / "blobs" / "sha256")], key=lambda entry: entry.used)
    total = sum(entry.size for entry in entries)
    if total <= quota:
        return ()
    return tuple(_removed(entries, total - int(quota * _ENOUGH)))


def _removed(entries: Iterable[_Entry], excess: int) -> Iterator[Path]:
    mapped, limit = _mapped(), time.time() - _GRACE
    for entry in entries:
        if excess <= 0 or entry.used > limit:
            return
        if entry.inode in mapped:
            continue
        with suppress(OSError):
            for file in entry.files:
                file.unlink(missing_ok=True)
            excess -= entry.size
            yield entry.files[0]


def _code(folder: Path) -> Iterator[_Entry]:
    for path in folder.glob("*/*.cwasm"):
        seal = path.with_suffix(".seal")
        with suppress(OSError):
            status = path.stat()
            used = seal.stat().st_mtime if seal.exists() else status.st_mtime
            yield _Entry((path, seal), status.st_ino, status.st_blocks * 512, used)


def _blobs(folder: Path) -> Iterator[_Entry]:
    for path in folder.glob("*"):
        with suppress(OSError):
            status = path.stat()
            yield _Entry((path,), status.st_ino, status.st_blocks * 512, max(status.st_atime, status.st_mtime))


def _sweep(cache: Path) -> None:
    """What processes that died left unfinished, the places of code that went, and old seals of others' files."""
    _drop(cache.glob("aot/*/.*"), _ABANDONED, Path.unlink)
    _drop(cache.glob("aot/*/"), _FORGOTTEN, _close)
    _drop(cache.glob("seals/*.seal"), _FORGOTTEN, Path.unlink)  # costs hashing such a file again


def _drop(paths: Iterable[Path], seconds: float, remove: Callable[[Path], None]) -> None:
    """Remove what did not change for so long."""
    limit = time.time() - seconds
    for path in list(paths):
        with suppress(OSError):
            if path.lstat().st_mtime < limit:
                remove(path)


def _close(folder: Path) -> None:
    """Nothing but locks is left in it, or it stays."""
    left = list(folder.iterdir())
    if all(path.suffix == ".lock" for path in left):
        for path in left:
            path.unlink()
        folder.rmdir()


def _mapped() -> frozenset[int]:
    """Inodes of compiled code in the memory of any process that we may look at."""
    found: set[int] = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            lines = maps.read_bytes().splitlines()
            found.update(int(line.split(maxsplit=5)[4]) for line in lines if b".cwasm" in line)
    return frozenset(found)
