"""Each thing that can be found, and the status and the Events that come of it."""

from __future__ import annotations

import dataclasses
import os
from datetime import datetime, timedelta

import pytest

from tests.status.cases import Case, cases
from wherry.spec.status import TIME, Condition
from wherry_operator.conditions import CONDITIONS, REASONS, about
from wherry_operator.status.written import bounded, document, last

CASES = cases()
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
WAY_UP = ("way-up-1-applied", "way-up-2-starting", "way-up-3-ready", "at-rest")


@EACH
def test_the_status_and_the_events_are_those_of_the_file(case: Case) -> None:
    if os.environ.get("WRITE_GOLDEN"):
        case.path().write_text(case.written())
    assert case.path().read_text() == case.written(), "WRITE_GOLDEN=1 writes it anew"


@EACH
def test_the_same_facts_later_give_the_same_bytes(case: Case) -> None:
    app, _ = case.read()
    first = case.outcome()
    later = (datetime.fromisoformat(case.now) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert case.outcome(dataclasses.replace(app, status=first), later) == first


@EACH
def test_an_app_has_every_condition_in_order_with_a_status_that_its_reason_may_have(case: Case) -> None:
    conditions = case.outcome().conditions
    assert [each.type for each in conditions] == list(CONDITIONS)
    for each in conditions:
        known = about(each.type, each.reason)
        assert known is not None
        assert each.status in (known.status if each.type != "Ready" or each.reason == "Ready" else ("False",))
        assert each.observed_generation == case.generation


@EACH
def test_a_status_reads_back_as_it_was_written(case: Case) -> None:
    status = case.outcome()
    assert last({"status": document(status)}) == status == bounded(status)


def test_every_reason_occurs_in_a_file_and_no_other_does() -> None:
    found = {(each.type, each.reason) for case in CASES for each in case.outcome().conditions if each.type != "Ready"}
    assert found == {(kind, name) for kind, reasons in REASONS.items() if kind != "Ready" for name in reasons}


def test_an_app_is_ready_only_when_nothing_hinders_it() -> None:
    for case in CASES:
        *others, ready = case.outcome().conditions
        hindered = [each for each in others if each.status != "True" and each.reason != "NotAsked"]
        unfinished = [each for each in others if each.reason in ("PartlyAvailable", "RollingOut")]
        assert (ready.status == "True") == (not hindered and not unfinished), case.name
        assert ready.reason in {"Ready", *(each.reason for each in (*hindered, *unfinished))}, case.name


def test_the_way_up_takes_three_writes_and_two_events() -> None:
    *steps, rest = [next(case for case in CASES if case.name == name) for name in WAY_UP]
    statuses = [case.outcome() for case in steps]
    assert [last(case.app) for case in (*steps[1:], rest)] == statuses, "a step begins where the one before ended"
    assert len({repr(each) for each in statuses}) == len(statuses) == 3
    assert rest.outcome() == statuses[-1]
    assert [event.reason for case in (*steps, rest) for event in case.events()] == ["Resolved", "RolledOut"]


def test_a_digest_that_was_put_away_is_gone_back_from_and_tried_again_in_four_steps() -> None:
    steps = [case for case in CASES if case.name.startswith("rolled-back-")]
    statuses = [case.outcome() for case in steps]
    assert [last(case.app) for case in steps[1:]] == statuses[:-1], "a step begins where the one before ended"
    assert [[each.digest[7] for each in status.rejected] for status in statuses] == [["2"], ["2"], ["2"], []]
    assert [status.artifact.digest[7] for status in statuses if status.artifact] == ["2", "1", "1", "2"]


def test_a_time_moves_only_with_its_status() -> None:
    moved = 0
    for case in CASES:
        before = {each.type: each for each in last(case.app).conditions}
        for now in case.outcome().conditions:
            then = before.get(now.type)
            kept = then is not None and then.status == now.status
            assert now.last_transition_time == (then.last_transition_time if then and kept else case.now), case.name
            moved += not kept
    assert moved > 0


def test_what_was_written_by_another_version_is_read_as_far_as_it_can_be() -> None:
    known = {"type": "Ready", "status": "True", "reason": "Ready", "lastTransitionTime": "2026-01-31T12:00:00Z"}
    found = last({"status": {"replicas": 2, "phase": "Running", "lastTrap": {"colour": "red"}, "conditions": [known]}})
    assert (found.replicas, found.last_trap) == (2, None)
    assert found.conditions == (
        Condition(type="Ready", status="True", reason="Ready", last_transition_time="2026-01-31T12:00:00Z"),
    )
    assert last({"status": "none"}) == last({})


def test_every_case_says_when_it_is() -> None:
    assert all(TIME.read(case.now, "now") for case in CASES)
