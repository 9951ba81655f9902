"""$(NAME), as the kubelet expands it."""

from __future__ import annotations

import pytest

from wherry.plan.expansion import expand

KNOWN = {"A": "x", "B": "$(A)", "": "empty", "a b": "blank"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("", ""),
        ("$(A)", "x"),
        ("-$(A)-$(A)-", "-x-x-"),
        ("$(B)", "$(A)"),
        ("$(NONE)", "$(NONE)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$x"),
        ("$$$$(A)", "$$(A)"),
        ("$", "$"),
        ("$$", "$"),
        ("$A", "$A"),
        ("${A}", "${A}"),
        ("$(A", "$(A"),
        ("$(A$(A)", "$(A$(A)"),
        ("$()", "empty"),
        ("$(a b)", "blank"),
        ("$(A))", "x)"),
        ("$(NONE$$)$$", "$(NONE$$)$"),
    ],
)
def test_references_are_expanded_once(text: str, expanded: str) -> None:
    assert expand(text, KNOWN) == expanded
