"""What holds of a status whatever was found, and whatever was written before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given

from tests.status.strategies import FACTS, NOW, SPECS
from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.parse import read
from wherry_operator.conditions import CONDITIONS, about
from wherry_operator.status import rollback
from wherry_operator.status.compute import compute
from wherry_operator.status.events import LONGEST, events
from wherry_operator.status.facts import Facts
from wherry_operator.status.written import document

LATER = "2026-01-31T12:00:01Z"


def _app(spec: dict[str, Any], status: dict[str, Any] | None = None) -> WasmApp:
    head = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "hello", "namespace": "shop"}}
    return read(head | {"spec": spec, "status": status or {}}, "app")


@given(spec=SPECS, before=FACTS, facts=FACTS)
def test_a_status_is_stable_whole_and_acceptable(spec: dict[str, Any], before: Facts, facts: Facts) -> None:
    app = _app(spec, document(compute(_app(spec), 1, before, NOW)))
    status = compute(app, 2, facts, NOW)
    assert compute(replace(app, status=status), 2, facts, LATER) == status
    assert [each.type for each in status.conditions] == list(CONDITIONS)
    assert all(about(each.type, each.reason) for each in status.conditions)
    assert _app(spec, document(status)).status == status


@given(spec=SPECS, before=FACTS, facts=FACTS)
def test_events_tell_of_changes_alone_and_fit(spec: dict[str, Any], before: Facts, facts: Facts) -> None:
    first = compute(_app(spec), 1, before, NOW)
    second = compute(replace(_app(spec), status=first), 1, facts, LATER)
    assert events(second, second) == ()
    assert all(len(each.message) <= LONGEST for each in events(first, second))


@given(spec=SPECS, before=FACTS, facts=FACTS)
def test_history_is_short_and_has_each_digest_once(spec: dict[str, Any], before: Facts, facts: Facts) -> None:
    app = _app(spec, document(compute(_app(spec), 1, before, NOW)))
    status = compute(app, 2, facts, NOW)
    for kept in ([each.digest for each in status.revisions], [each.digest for each in status.rejected]):
        assert len(set(kept)) == len(kept) <= app.spec.rollout.history_limit


@given(spec=SPECS, before=FACTS, facts=FACTS)
def test_what_was_put_away_never_runs_when_something_good_is_known(
    spec: dict[str, Any], before: Facts, facts: Facts
) -> None:
    app = _app(spec, document(compute(_app(spec), 1, before, NOW)))
    if facts.supplied is None or facts.supplied.artifact is None:
        return
    found = facts.supplied
    away = {each.digest for each in rollback.rejected(app, found.artifact)}
    runs = rollback.settled(app, found, None).artifact
    assert runs is not None
    assert runs.digest not in away or rollback.instead(app, found) or not {*_known(app)} - away


def _known(app: WasmApp) -> list[str]:
    return [each.digest for each in app.status.revisions]
