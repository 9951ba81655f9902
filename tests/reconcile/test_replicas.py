"""Two operators: one acts, the other is ready to, and an app never notices which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apiserver import until
from tests.support.operators import Operator, operator, registries_of
from tests.support.places import Place
from tests.support.registry import Registry


@pytest.fixture
def pair(place: Place, artifacts: Registry, tmp_path: Path) -> Iterator[tuple[Operator, Operator]]:
    """The first leads."""
    settings = {"leader_election": "true", "registries": str(registries_of(artifacts, tmp_path))}
    with operator(tmp_path, place.plane.kubeconfig(), place.namespace, **settings, identity="one") as first:
        first.wait_until_it_leads()
        with operator(tmp_path, place.plane.kubeconfig(), place.namespace, **settings, identity="two") as second:
            until(lambda: second.page("/readyz"))
            yield first, second


def test_only_one_acts_and_the_other_takes_over_when_it_is_killed(
    place: Place, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    place.apply("hello")
    place.until_condition("hello", "Ready", "Ready")
    assert second.metric("wherry_operator_passes_total") == 0
    first.kill()
    place.kubectl("scale", "wasmapp/hello", "--replicas=2")
    place.until("WasmApp", "hello", lambda app: app["status"].get("readyReplicas") == 2)
    assert second.metric("wherry_operator_leader") == 1


def test_one_that_is_asked_to_stop_hands_over_at_once_and_ends_well(
    place: Place, pair: tuple[Operator, Operator]
) -> None:
    first, second = pair
    place.apply("hello")
    place.until_condition("hello", "Ready", "Ready")
    until(lambda: len(place.list("Event")) >= 2)
    mark = place.plane.audit.mark()
    assert first.stop() == 0
    second.wait_until_it_leads()
    assert until(lambda: second.metric("wherry_operator_passes_total") >= 1)
    asked = [each for each in place.plane.asked(mark, agent="wherry-operator/") if each.namespace == place.namespace]
    assert [each for each in asked if each.writes and "leases" not in each.resource] == []


def test_a_wrong_setting_ends_the_start_with_one_sentence(place: Place, tmp_path: Path) -> None:
    kubeconfig = place.plane.kubeconfig()
    with operator(tmp_path, kubeconfig, place.namespace, workers="many") as running:
        assert running.process.wait(60) == 2
        assert running.log.read_text() == (
            "WHERRY_WORKERS: got 'many', expected a number from 1 to 1000; mend the operator's environment\n"
        )


def test_a_kubeconfig_that_is_lost_ends_the_start_with_one_sentence(place: Place, tmp_path: Path) -> None:
    with operator(tmp_path, tmp_path / "nowhere", place.namespace) as running:
        assert running.process.wait(60) == 2
        assert "nowhere" in running.log.read_text()
        assert "Traceback" not in running.log.read_text()
