"""`wherry run --watch`: what runs follows the files that it was made from.

A change counts when the files look the same twice in a row, so that a build that is still writing is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from wherry.errors import WherryError
from wherry.plan.model import RunPlan
from wherry_cli.failure import report
from wherry_cli.prepare import Prepared

Stamp = tuple[tuple[int, int, int] | None, ...]


def stamp(files: Iterable[Path]) -> Stamp:
    """What changes when a file does: inode, size, time; None for one that is not there."""
    return tuple(map(_stamp, files))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class Watch:
    """The engine asks it now and then for a plan that replaces the one that runs; mostly there is none."""

    def __init__(self, prepared: Prepared, again: Callable[[], Prepared]) -> None:
        self._files = prepared.files
        self._plan = prepared.plan
        self._again = again
        self._served = self._seen = stamp(self._files)

    def __call__(self) -> RunPlan | None:
        """The new plan, once for each change. A change that is wrong is said, and what runs goes on."""
        now = stamp(self._files)
        settled, self._seen = now == self._seen, now
        if not settled or now == self._served:
            return None
        self._served = now
        try:
            return self._changed(self._again())
        except WherryError as fault:
            report(fault, "run")
            return None

    def _changed(self, prepared: Prepared) -> RunPlan | None:
        if prepared.files != self._files:
            self._files = prepared.files
            self._served = self._seen = stamp(self._files)
        if prepared.plan == self._plan:
            return None
        self._plan = prepared.plan
        return prepared.plan
