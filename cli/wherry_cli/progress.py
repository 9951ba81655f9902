"""How a transfer looks while it goes: a bar on a terminal, nothing anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wherry.oci.store import Progress, Silent

if TYPE_CHECKING:
    from rich import progress as rich_progress

WIDEST = 40


class Bars:
    """A bar for each transfer. A retry starts its bar over."""

    def __init__(self, bars: rich_progress.Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, rich_progress.TaskID] = {}
        self._current: rich_progress.TaskID | None = None

    def total(self, label: str, size: int) -> None:
        """Begin, or begin again, the transfer named label."""
        if label in self._tasks:
            self._bars.reset(self._tasks[label], total=size)
        else:
            self._tasks[label] = self._bars.add_task(short(label), total=size)
        self._current = self._tasks[label]

    def advance(self, size: int) -> None:
        """Count size bytes more of the transfer that goes on."""
        if self._current is not None:
            self._bars.advance(self._current, size)


def short(label: str) -> str:
    """A label that leaves room for the bar: `sha256:` and twelve characters tell digests apart."""
    return label if len(label) <= WIDEST else f"{label[:19]}…"


@contextmanager
def shown() -> Iterator[Progress]:
    """Progress of one command, on stderr, so that what a pipe reads is only the answer."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    with bars() as live:
        yield Bars(live)


def bars() -> rich_progress.Progress:
    """The bars themselves; erased when the command ends."""
    from rich import progress  # noqa: PLC0415  80 ms that a pipe need not pay
    from rich.console import Console  # noqa: PLC0415

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.DownloadColumn())
    return progress.Progress(*columns, progress.TransferSpeedColumn(), console=Console(stderr=True), transient=True)
