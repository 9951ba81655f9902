"""One Pod, what real kubelets and containerds made of it, one plan (tests/contract)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.support import contract
from wherry.plan.bundle import read
from wherry.plan.codec import from_json
from wherry.plan.from_bundle import from_bundle
from wherry.plan.model import RunPlan, WasmFile
from wherry.wasm.module import Inspection

CAPTURED = sorted(path.name for path in contract.FOLDER.glob("config-*.json"))


def never() -> Inspection:
    raise AssertionError("asked the module what its annotation says")


def of_the_contract(plan: RunPlan) -> RunPlan:
    """Where the node has a folder is no part of the contract."""
    return replace(plan, mounts=tuple(replace(mount, host="/volume") for mount in plan.mounts))


def test_every_road_was_captured() -> None:
    assert CAPTURED == ["config-cri-1.7.json", "config-cri-2.3.json", "config-kubelet-2.3.json"]


@pytest.mark.parametrize("name", CAPTURED)
def test_the_plan_is_the_same_whoever_wrote_the_bundle(name: str) -> None:
    expected = from_json((contract.FOLDER / "plan.json").read_text())
    plan = from_bundle(read(contract.config(name)), WasmFile("/wasm", expected.wasm.digest), never)
    assert of_the_contract(plan) == expected


def test_the_plan_says_what_the_pods_annotation_says() -> None:
    plan = json.loads((contract.FOLDER / "plan.json").read_text())
    said = json.loads(contract.pod("image", plan["wasm"]["digest"])["metadata"]["annotations"]["plan.wherry.dev/app"])
    assert (plan["run"], plan["port"], plan["drain"]) == (said["run"], said["http"]["port"], said["http"]["drain"])
    assert [mount["guest"] for mount in plan["mounts"]] == said["mounts"]
