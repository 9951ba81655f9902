"""Killed at any moment of a day of edits, behind a faulty network: the end is that of an undisturbed run."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.apiserver import until
from tests.support.edits import KINDS, NAMES, Edits
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault, Faults
from tests.support.operators import operator, registries_of
from tests.support.places import Manifest, Place, condition
from tests.support.registry import Registry

EDITS = int(os.environ.get("WHERRY_EDITS", "200"))
SEEDS = [int(each) for each in os.environ.get("WHERRY_SEEDS", "1").split()]
HARMLESS = tuple(each for each in Fault if each is not Fault.STALLED)
"""A stall only takes time, which a test has little of."""


@pytest.mark.parametrize("seed", SEEDS)
def test_an_operator_that_is_killed_comes_to_the_same_end(
    place: Place, artifacts: Registry, proxy: FaultProxy, tmp_path: Path, seed: int
) -> None:
    chance, edits = random.Random(seed), Edits(place, seed)
    faulty = place.plane.kubeconfig(url=proxy.url)
    registries = str(registries_of(artifacts, tmp_path))
    with operator(tmp_path, faulty, place.namespace, registries=registries) as running:
        proxy.plan(Faults(seed, share=0.1, watches=0.2, kinds=HARMLESS))
        for _ in range(EDITS):
            edits.one()
            if chance.random() < 0.05:
                running.kill()
                running.restart()
        proxy.plan(None)
        proxy.cut()
        expected = undisturbed(place, edits, tmp_path, registries)
        assert until(lambda: settled(place, edits) == expected)


def undisturbed(place: Place, edits: Edits, folder: Path, registries: str) -> dict[str, Any]:
    """What an operator that nothing happens to makes of the last edits."""
    other = Place(place.plane, place.plane.new_namespace(), place.host)
    for name, spec in edits.specs.items():
        other.apply(name, **spec)
    with operator(folder, place.plane.kubeconfig(), other.namespace, registries=registries):
        return settled(other, edits)


def settled(place: Place, edits: Edits) -> dict[str, Any]:
    """What there is once every app has its status and nothing of the others is left, without what time decides."""
    for name in edits.specs:
        place.until("WasmApp", name, at_rest)
    until(lambda: owners(place) <= set(edits.specs))
    return {name: story(place, name) for name in NAMES}


def at_rest(app: Manifest) -> bool:
    if app.get("status", {}).get("observedGeneration") != app["metadata"]["generation"]:
        return False
    running = condition(app, "Available")["reason"] in ("Available", "ScaledToZero", "Scheduled", "JobComplete")
    progressing = condition(app, "Progressing")
    return running and progressing["reason"] == "Complete"


def owners(place: Place) -> set[str]:
    return {each["metadata"]["labels"]["wherry.dev/app"] for kind in KINDS for each in ours(place, kind)}


def story(place: Place, name: str) -> Any:
    """An app's conditions and the specs of its children."""
    app = place.find("WasmApp", name)
    if app is None:
        return None
    conditions = {each["type"]: (each["status"], each["reason"]) for each in app["status"]["conditions"]}
    children = {
        (kind, each["metadata"]["name"]): essence(each)
        for kind in KINDS
        for each in ours(place, kind)
        if each["metadata"]["labels"]["wherry.dev/app"] == name and is_newest(place, kind, each)
    }
    return conditions, children


def ours(place: Place, kind: str) -> list[Manifest]:
    return [each for each in place.list(kind) if "wherry.dev/app" in each["metadata"].get("labels", {})]


def is_newest(place: Place, kind: str, child: Manifest) -> bool:
    """Older Jobs are history, of which an undisturbed run has none."""
    if kind != "Job":
        return True
    app = child["metadata"]["labels"]["wherry.dev/app"]
    mine = [each for each in ours(place, kind) if each["metadata"]["labels"]["wherry.dev/app"] == app]
    return bool(
        max(mine, key=lambda each: each["metadata"]["creationTimestamp"])["metadata"]["uid"] == child["metadata"]["uid"]
    )


def essence(child: Manifest) -> Any:
    """The spec, without what Kubernetes chose."""
    chosen = {"clusterIP", "clusterIPs", "selector"}
    spec = {name: value for name, value in child["spec"].items() if name not in chosen}
    if "completions" in spec:  # a Job, whose controller labels the template
        labels = spec["template"]["metadata"]["labels"]
        spec["template"]["metadata"]["labels"] = {key: labels[key] for key in labels if "wherry" in key}
    return spec
