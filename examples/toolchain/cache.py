"""A build happens once on a machine: keyed by all that goes into it, under a lock, put in place atomically."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def root() -> Path:
    """`$WHERRY_BUILD_CACHE`, else `~/.cache/wherry`; `tools` and `guests` lie in it."""
    return Path(os.environ.get("WHERRY_BUILD_CACHE") or Path.home() / ".cache" / "wherry")


def key(inputs: Iterable[Path | str]) -> str:
    """16 hex digits that change with any input: a text, a file by name and bytes, a folder by its files."""
    digest = hashlib.sha256()
    for item in inputs:
        for part in _parts(item):
            digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:16]


def _parts(item: Path | str) -> Iterator[bytes]:
    if isinstance(item, str):
        yield item.encode()
    elif item.is_dir():
        for file in sorted(path for path in item.rglob("*") if path.is_file()):
            yield from (str(file.relative_to(item)).encode(), file.read_bytes())
    else:
        yield from (item.name.encode(), item.read_bytes())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` + `.lock` against every other process of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def once(target: Path, make: Callable[[Path], None]) -> Path:
    """`target`, made by `make(scratch path)` unless it is there. A failed build leaves nothing behind."""
    if target.exists():
        return target
    with locked(target):
        if not target.exists():
            _make_in_place(target, make)
    return target


def _make_in_place(target: Path, make: Callable[[Path], None]) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        make(scratch / target.name)
        os.replace(scratch / target.name, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
