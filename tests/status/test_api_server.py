"""A real API server takes every status, and kubectl understands it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.status.cases import ARTIFACT, cases
from tests.support.apiserver import ENABLE, ApiServer, api_server, programs, until
from wherry.spec.document import load
from wherry_operator.status.written import document, last

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
APPS = "/apis/wherry.dev/v1alpha1/namespaces/default/wasmapps"
CRD = Path(__file__).parents[2] / "crds" / "wasmapps.yaml"
pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    if (folder := programs()) is None:
        pytest.skip(f"no kube-apiserver here: {ENABLE}")
    with api_server(tmp_path_factory.mktemp("api"), folder) as running:
        assert running.ask("POST", CRDS, load(CRD.read_text())[0]).status == 201
        until(lambda: running.ask("GET", APPS).status == 200)
        yield running


def _app(server: ApiServer, name: str) -> dict[str, Any]:
    app = {
        "apiVersion": "wherry.dev/v1alpha1",
        "kind": "WasmApp",
        "metadata": {"name": name},
        "spec": {"artifact": ARTIFACT},
    }
    created = server.ask("POST", APPS, app)
    assert created.status == 201, created.body
    return created.body


def test_every_status_is_taken_and_kept_as_it_is(server: ApiServer) -> None:
    app, differing = _app(server, "every"), []
    for case in cases():
        status = case.outcome()
        answer = server.ask("PUT", f"{APPS}/every/status?fieldValidation=Strict", app | {"status": document(status)})
        if answer.status != 200 or last(answer.body) != status:
            differing.append(f"{case.name}: {answer.body.get('message', 'something else was kept')}")
        app["metadata"] = answer.body.get("metadata", app["metadata"])
    assert not differing


def test_kubectl_waits_for_ready_and_sees_what_hinders_it(server: ApiServer) -> None:
    app = _app(server, "waits")
    by_name = {case.name: case for case in cases()}
    for name, ready in (("no-nodes", False), ("way-up-3-ready", True)):
        app["status"] = document(by_name[name].outcome())
        app = server.ask("PUT", f"{APPS}/waits/status", app).body
        waited = server.kubectl("wait", "wasmapp/waits", "--for=condition=Ready", "--timeout=1s")
        assert (waited.returncode == 0) == ready, waited.stderr
        reasons = server.kubectl("get", "wa", "waits", "-o", "jsonpath={.status.conditions[*].reason}").stdout.split()
        assert reasons[-1] == ("Ready" if ready else "NoNodes")
    scale = json.loads(server.kubectl("get", "--raw", f"{APPS}/waits/scale").stdout)
    assert scale["status"] == {"replicas": 1, "selector": "wherry.dev/app=hello"}
