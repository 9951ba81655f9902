"""`<state>/<pod uid>/<container>.trap`: what workers append, one entry for each guest that did not end well.

The file is a queue: what was read is cut off, so that it never fills up and is not told twice. An entry that is
written in between is lost; it is in the container's log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ENTRY = re.compile(r"^[a-z]+/[a-z0-9-]+: .*?^    in request [^\n]*\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Trapped:
    """uid: of the Pod. entries: termination messages, each with the request that it happened in, the oldest first."""

    uid: str
    container: str
    entries: tuple[str, ...]


def taken(state: Path) -> Iterator[Trapped]:
    """Everything that was appended since; the files are empty afterwards. state: the runtime's folder."""
    for file in sorted(state.glob("*/*.trap")):
        if entries := _take(file):
            yield Trapped(file.parent.name, file.stem, entries)


def entries(text: str) -> tuple[str, ...]:
    """Whole ones; what is cut off at the end is none."""
    return tuple(found.group().rstrip() for found in _ENTRY.finditer(text))


def _take(file: Path) -> tuple[str, ...]:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # the container is gone, or it is no file of ours
        return ()
    with open(descriptor, "r+b") as opened:
        if not (data := opened.read()):
            return ()
        opened.truncate(0)
    return entries(data.decode(errors="replace"))
