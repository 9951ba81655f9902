"""Links between pages lead somewhere, and every page can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.docs.blocks import FENCE, pages

LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
README = ROOT / "README.md"
NOT_LISTED = "decisions"
"""A folder that the README names as a whole."""


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Where a page leads within this tree: a path, and an anchor or nothing."""
    for link in LINK.finditer(FENCE.sub("", page.read_text())):
        yield (page.parent / link["path"]).resolve() if link["path"] else page, link["anchor"] or ""


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target}#{anchor}"


def test_every_page_is_found_from_the_readme() -> None:
    found, new = set[Path](), [README]
    while new:
        found.update(new)
        there = {target for page in new for target, _ in links(page) if target.suffix == ".md"}
        new = sorted(there - found)
    lost = [page for page in pages() if page not in found and page.parent.name != NOT_LISTED]
    assert lost == [ROOT / "CHANGELOG.md"]
