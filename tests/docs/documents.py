"""YAML that pages show, each kind by what can be asked about it here."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.architecture.tree import ROOT
from tests.chart.helm import CHART, objects
from wherry.oci import registries
from wherry.spec.parse import parse
from wherry_operator.supply import policy

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
REPOSITORY = "https://github.com/wherry-dev/wherry"


def check(text: str, name: str) -> None:
    """Raises AssertionError, or what the reader of that kind raises. Skips where that needs helm and there is none."""
    documents = [each for each in yaml.safe_load_all(text) if each]
    assert documents
    if any(isinstance(each, dict) and each.get("kind") == "WasmApp" for each in documents):
        assert parse(text, name)
    elif text.startswith("- registries:"):
        assert policy.parse(text, name)
    elif all("apiVersion" in each for each in documents):
        for each in documents:
            _object(each)
    elif "jobs" in documents[0]:
        _workflow(documents[0])
    elif documents[0].keys() <= VALUES.keys():
        _values(documents[0])
    else:
        assert registries.parse(text, name)


def _object(manifest: dict[str, Any]) -> None:
    assert manifest["kind"]
    assert manifest["metadata"]["name"]
    spec = manifest.get("spec", {})
    if manifest["kind"] == "HelmRelease":
        assert (ROOT / spec["chart"]["spec"]["chart"] / "Chart.yaml").exists()
        _values(spec["values"])
    if manifest["kind"] == "Application":
        assert spec["source"]["repoURL"] == REPOSITORY
        assert (ROOT / spec["source"]["path"] / "Chart.yaml").exists()
        _values(spec["source"]["helm"]["valuesObject"])


def _workflow(workflow: dict[str, Any]) -> None:
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    ours = [step for step in steps if step.get("uses", "").startswith(REPOSITORY.removeprefix("https://github.com/"))]
    required = {name for name, each in ACTION["inputs"].items() if each.get("required")}
    assert ours
    assert all(required <= step["with"].keys() <= ACTION["inputs"].keys() for step in ours)
    outputs = [word for step in steps for word in step.get("run", "").split() if word.startswith("steps.")]
    assert {word.split(".")[3] for word in outputs} <= ACTION["outputs"].keys()


def _values(values: dict[str, Any]) -> None:
    options = [word for name, value in values.items() for word in ("--set-json", f"{name}={json.dumps(value)}")]
    assert objects(*options)
