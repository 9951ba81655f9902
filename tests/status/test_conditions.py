"""The list of reasons: it is the page, and whatever the operator says is on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.tree import ROOT, python_files
from wherry_operator.conditions import REASONS, about
from wherry_operator.status.containers import CONFIG, IMAGE, START
from wherry_operator.status.pods import RANK
from wherry_operator.status.reference import page
from wherry_operator.supply import verdicts

SAYING = {"Verdict", "Refused", "Trouble"}
"""Classes that take a reason as one of their arguments."""


def test_the_page_is_what_the_reasons_say_of_themselves() -> None:
    assert (ROOT / "docs" / "conditions.md").read_text() == page(), "run: make docs"


def _said() -> Iterator[tuple[str, str]]:
    """Where, and every capitalised word that is written where a reason belongs."""
    for path in python_files("operator"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
                for each in node.args[:2]:
                    if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isalpha():
                        yield f"{path.name}:{node.lineno}", each.value


def test_every_reason_that_is_written_in_the_operator_is_on_the_list() -> None:
    known = {name for reasons in REASONS.values() for name in reasons} | {*REASONS, "True", "False", "Unknown"}
    said = list(_said())
    assert len(said) > 40
    assert [each for each in said if each[1] not in known] == []
    assert {*verdicts._REASONS.values()} <= REASONS["Resolved"].keys()
    assert {*RANK} <= REASONS["Available"].keys()


def test_the_kubelets_words_for_a_waiting_container_mean_one_thing_each() -> None:
    assert not IMAGE & START
    assert CONFIG not in IMAGE | START


def test_whatever_is_wrong_has_a_cure_or_is_only_on_its_way() -> None:
    silent = {
        name
        for kind in REASONS
        for name, reason in REASONS[kind].items()
        if "False" in reason.status and not reason.cure
    }
    assert silent == {"NotMade", "Starting", "Blocked"}


def test_ready_has_the_reasons_of_all_and_another_versions_reason_is_none() -> None:
    assert about("Ready", "NoNodes") == REASONS["Available"]["NoNodes"]
    assert about("Available", "RolledBack") is None
    assert about("Ready", "Haunted") is None
