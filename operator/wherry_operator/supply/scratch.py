"""Where artifacts lie while they are looked at: a folder of this process, and nothing of processes that were killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "wherry-artifacts-"


@contextmanager
def scratch(within: Path | None) -> Iterator[Path]:
    """An empty folder, removed afterwards. within: the system's folder for such things when None.

    It is locked for as long as it is used. The lock goes with the process, so that a folder without one is rubbish.
    """
    parent = Path(within or tempfile.gettempdir())
    _sweep(parent)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as name, _locked(Path(name)):
        yield Path(name)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError: another process has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            with _locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use, gone meanwhile, or somebody else's
            continue
