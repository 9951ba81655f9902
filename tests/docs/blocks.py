"""Fenced blocks of the documentation, and what the comment above each says about it.

`<!-- file: NAME -->`       the block is a file that later blocks use
`<!-- background -->`       the command goes on; later blocks talk to it
`<!-- output -->`           the block is what the block before it prints; `…` stands for anything
`<!-- run by: PATH -->`     the command is run by that file and not here
`<!-- fails: CODE -->`      the command is meant to end with that exit code

`<!-- on: a cluster -->` on a line of its own: what follows is done on a cluster, by tests/e2e/test_pages.py, up to
`<!-- on: this machine -->` or the end of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.tree import ROOT

FENCE = re.compile(
    r"^(?:<!-- (?P<mark>file|background|output|run by|fails)(?:: (?P<value>[^>]+?))? -->\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ON = re.compile(r"^<!-- on: (?P<place>a cluster|this machine) -->$", re.MULTILINE)
HERE, CLUSTER = "this machine", "a cluster"


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, its language, its mark and the mark's value, and where it is done."""

    page: Path
    line: int
    language: str
    text: str
    mark: str
    value: str
    place: str = HERE

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """README, CHANGELOG and everything under docs/."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text()
    changes = [(match.start(), match["place"]) for match in ON.finditer(text)]
    for match in FENCE.finditer(text):
        line = 1 + text.count("\n", 0, match.start("language"))
        place = next((place for start, place in reversed(changes) if start < match.start()), HERE)
        yield Block(page, line, match["language"], match["text"], match["mark"] or "", match["value"] or "", place)


def done(page: Path, place: str) -> list[Block]:
    """Those blocks of a page that are done there."""
    return [block for block in blocks(page) if block.place == place]
