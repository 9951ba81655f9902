"""Our parser against a real kube-apiserver with the generated CRD: the same apps pass, with the same defaults."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.spec.apps import ARTIFACT, NAMES, NOT_NAMES, RIGHT, WRONG, document
from tests.spec.strategies import APPS, SLIPS
from tests.support.apiserver import Answer, ApiServer, until
from wherry.errors import InvalidApp
from wherry.spec.document import load
from wherry.spec.model import Spec
from wherry.spec.parse import read

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PATH = "/apis/wherry.dev/v1alpha1/namespaces/default/wasmapps"
CRD = Path(__file__).parents[2] / "crds" / "wasmapps.yaml"
SCALARS = Path(__file__).parent / "scalars.yaml"
pytestmark = pytest.mark.peer


@pytest.fixture(scope="session", autouse=True)
def _crd(server: ApiServer) -> None:
    created = server.ask("POST", CRDS, load(CRD.read_text())[0])
    assert created.status == 201, created.body
    until(lambda: _conditions(server)["Established"] == "True")
    until(lambda: server.ask("GET", PATH).status == 200)


def _conditions(server: ApiServer) -> dict[str, str]:
    status = server.ask("GET", f"{CRDS}/wasmapps.wherry.dev").body.get("status", {})
    return {"Established": "Unknown"} | {each["type"]: each["status"] for each in status.get("conditions") or ()}


def _create(server: ApiServer, app: object) -> Answer:
    return server.ask("POST", f"{PATH}?dryRun=All&fieldValidation=Strict", app)


def _spec(answer: Answer) -> Spec:
    return read(answer.body, "the server's").spec


def _ours(app: object) -> tuple[Spec | None, str]:
    try:
        return read(app, "ours").spec, ""
    except InvalidApp as error:
        return None, str(error)


def _blamed(answer: Answer, path: str) -> bool:
    """The server writes an entry of a map with a dot, and has no field for a forbidden word."""
    theirs = re.sub(r"\[(\D[^]]*)\]", r".\1", path)
    fields = [cause["field"] for cause in answer.body.get("details", {}).get("causes", ())]
    return theirs in fields or theirs in answer.body["message"]


def test_the_crd_is_established_and_structural(server: ApiServer) -> None:
    conditions = _conditions(server)
    assert conditions["Established"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"


def test_the_server_accepts_what_we_accept_with_the_same_defaults(server: ApiServer) -> None:
    differing = []
    for row in RIGHT:
        app = document(row.spec)
        answer = _create(server, app)
        if answer.status != 201 or _spec(answer) != read(app, "ours").spec:
            differing.append(f"{row.reason}: {answer.body.get('message', 'other defaults')}")
    assert not differing


def test_the_server_refuses_what_we_refuse_and_blames_the_same_field(server: ApiServer) -> None:
    differing = []
    for row in WRONG:
        answer = _create(server, document(row.spec))
        if answer.status not in (400, 422) or not _blamed(answer, row.at):
            differing.append(f"{row.reason}: {answer.status} {answer.body.get('message')}")
    assert not differing


def test_the_server_accepts_the_same_names(server: ApiServer) -> None:
    assert [name for name in NAMES if _create(server, document({}, name)).status != 201] == []
    assert [name for name in NOT_NAMES if _create(server, document({}, name)).status == 201] == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(app=APPS | SLIPS)
def test_the_server_agrees_about_apps_that_nobody_thought_of(server: ApiServer, app: Any) -> None:
    answer = _create(server, app)
    ours, refusal = _ours(app)
    assert (answer.status == 201) == (ours is not None), refusal or answer.body["message"]
    assert ours is None or _spec(answer) == ours


def test_the_server_stores_these_defaults_and_no_others(server: ApiServer) -> None:
    assert _create(server, document({})).body["spec"] == {
        "artifact": ARTIFACT,
        "executor": "shim",
        "limits": {"concurrency": 16, "memory": "128Mi"},
        "port": 8080,
        "pull": {"refresh": "Never"},
        "replicas": 1,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "rollout": {"automaticRollback": False, "historyLimit": 10, "progressDeadline": "10m"},
        "scope": "replicas",
        "service": {"port": 80, "type": "ClusterIP"},
    }


def test_kubectl_shows_scales_and_keeps_the_status(server: ApiServer) -> None:
    assert server.ask("POST", PATH, document({}, "shown")).status == 201
    artifact = {"digest": "sha256:" + "0" * 64, "kind": "component", "reference": ARTIFACT}
    status = {"replicas": 3, "readyReplicas": 2, "selector": "wherry.dev/app=shown", "artifact": artifact}
    body = server.ask("GET", f"{PATH}/shown").body | {"status": status}
    assert server.ask("PUT", f"{PATH}/shown/status", body).status == 200
    rows = [line.split() for line in server.kubectl("get", "wa", "-o", "wide").stdout.splitlines()]
    assert rows[0] == ["NAME", "READY", "DESIRED", "KIND", "ARTIFACT", "DIGEST", "AGE"]
    assert rows[1][:6] == ["shown", "2", "3", "component", ARTIFACT, artifact["digest"]]
    scaled = server.kubectl("scale", "wasmapp/shown", "--replicas=5")
    assert scaled.returncode == 0, scaled.stderr
    app = read(server.ask("GET", f"{PATH}/shown").body, "shown")
    assert app.spec.replicas == 5
    assert app.status.artifact is not None


@pytest.mark.parametrize("kind", ["wasmapp", "wa"])
def test_kubectl_explains_a_field(server: ApiServer, kind: str) -> None:
    """The server publishes a new schema a moment after the CRD."""
    said = until(lambda: server.kubectl("explain", f"{kind}.spec.limits.memory").stdout)
    assert "Linear memory of one instance." in said


def test_kubectl_reads_the_same_scalars(server: ApiServer) -> None:
    text = SCALARS.read_text()
    command = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-")
    theirs: Any = json.loads(server.kubectl(*command, stdin=text).stdout)["data"]
    ours: Any = load(text)[0]
    assert [(type(each), each) for each in ours["data"]] == [(type(each), each) for each in theirs]
