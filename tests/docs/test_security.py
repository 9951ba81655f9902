"""Each line of the security model is shown by a test, and that test exists."""

from __future__ import annotations

import re

import pytest

from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
CLAIMS = re.findall(r"^\| (?P<claim>[^|]+) \| (?P<tests>[^|]*) \|$", PAGE, re.MULTILINE)
NAMED = re.compile(r"`([\w/.-]+)(?:::(test_\w+))?`")


def claims() -> list[tuple[str, str]]:
    """What somebody cannot do, and what shows it."""
    return [(claim, tests) for claim, tests in CLAIMS if set(claim) != {"-"} and tests != "shown by"]


@pytest.mark.parametrize(("claim", "tests"), claims(), ids=[claim[:40] for claim, _ in claims()])
def test_a_claim_is_shown(claim: str, tests: str) -> None:
    named = NAMED.findall(tests)
    assert named, claim
    for path, name in named:
        text = (ROOT / "tests" / path).read_text()
        assert f"def {name}(" in text if name else text
