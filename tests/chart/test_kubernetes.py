"""What a real API server says of the chart."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.chart.helm import Manifest, cases, find, objects, render
from tests.chart.switches import CASES, Case, options
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.peer

PODS = {"DaemonSet", "Deployment", "Job", "Pod"}
WARN = {"metadata": {"name": "strict", "labels": {"pod-security.kubernetes.io/warn": "restricted"}}}


@pytest.mark.parametrize("values", cases(), ids=lambda path: path.stem)
def test_kubernetes_takes_every_reviewed_case(server: ApiServer, values: Path) -> None:
    taken(server, render("--values", values))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "".join("-+"[state == "true"] for state in case))
def test_kubernetes_takes_every_two_switches_together(server: ApiServer, case: Case) -> None:
    taken(server, render(*options(case)))


def taken(server: ApiServer, text: str) -> None:
    done = server.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len([each for each in yaml.safe_load_all(text) if each])


def test_all_but_the_agent_meet_the_restricted_standard(server: ApiServer) -> None:
    server.ask("POST", "/api/v1/namespaces", WARN)
    said = {each["kind"]: warning(server, each) for each in objects() if each["kind"] in PODS}
    agents = said.pop("DaemonSet")
    assert "hostPath" in agents
    assert "privileged" not in agents
    assert said == {"Deployment": "", "Job": "", "Pod": ""}


def warning(server: ApiServer, manifest: Manifest) -> str:
    """What Pod Security says of an object's Pods."""
    moved = manifest | {"metadata": manifest["metadata"] | {"namespace": "strict"}}
    done = server.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(moved))
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_definition_is_the_generated_one_with_helms_marks() -> None:
    rendered = find(objects(), "CustomResourceDefinition", "wasmapps.wherry.dev")
    marks = rendered["metadata"].pop("annotations"), rendered["metadata"].pop("labels")
    assert marks[0] == {"helm.sh/resource-policy": "keep"}
    assert marks[1]["app.kubernetes.io/managed-by"] == "Helm"
    generated = Path(__file__).parents[2] / "crds" / "wasmapps.yaml"
    assert rendered == yaml.safe_load(generated.read_text())
    again = find(objects("--set", "crds.keep=false"), "CustomResourceDefinition", "wasmapps.wherry.dev")
    assert "annotations" not in again["metadata"]
