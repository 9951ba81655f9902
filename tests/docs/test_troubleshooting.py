"""What the page on nodes says that Wherry says, Wherry says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT

PAGE = ROOT / "docs" / "guides" / "node-operations.md"
ROW = re.compile(r"^\|[^|]*\| (?P<said>[^|]*?) ?\|[^|]*\|[^|]*\|$", re.MULTILINE)
CODE = ("core", "operator", "shim")


def messages() -> Iterator[str]:
    """Of the second column, the parts that do not differ from case to case."""
    rows = PAGE.read_text().partition("## Troubleshooting")[2]
    for row in ROW.finditer(rows):
        for message in re.findall(r"`([^`]+)`", row["said"]):
            if not message.startswith("kubectl"):
                yield from filter(None, map(str.strip, message.split("…")))


@pytest.fixture(scope="module")
def everything_that_is_said() -> str:
    """By code, and by a cluster as tests/status has it."""
    code = (path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ""})
    texts = [path for path in code if path.is_file()]
    golden = sorted((ROOT / "tests" / "status" / "golden").glob("*.yaml"))
    return re.sub(r"\s+", " ", " ".join(path.read_text() for path in (*texts, *golden)))


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_a_symptom_is_told_in_these_words(message: str, everything_that_is_said: str) -> None:
    assert message in everything_that_is_said


def test_each_table_has_symptoms() -> None:
    assert len(set(messages())) > 20
