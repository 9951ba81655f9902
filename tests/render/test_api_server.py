"""A real kube-apiserver takes what is rendered, and the restricted Pod Security Standard lets its Pods run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.render.applied import apply, new_namespace
from tests.render.cases import Case, artifact_of, cases
from tests.spec.apps import RIGHT, Row, document
from tests.support.apiserver import ApiServer
from wherry.spec.parse import read
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render

pytestmark = pytest.mark.peer
EACH = pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
ON_THE_NODES_NETWORK = {"every-node-at-its-port", "a-low-port-of-the-node"}
"""What their users ask for is beyond the standard."""
NO_PODS = {"ordinary containers": "has a field that no container has"}


@EACH
def test_the_server_takes_every_object(case: Case, server: ApiServer) -> None:
    for manifest in case.rendered():
        answer = apply(server, manifest, query="&dryRun=All")
        assert answer.status in (200, 201), answer.body["message"]


def _templates(case: Case) -> Iterator[dict[str, Any]]:
    for manifest in case.rendered():
        spec = manifest["spec"]
        spec = spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec
        if "template" in spec:
            yield spec["template"]


@pytest.fixture(scope="module")
def restricted(server: ApiServer) -> str:
    return new_namespace(server, "restricted", **{"pod-security.kubernetes.io/enforce": "restricted"})


@EACH
def test_its_pods_are_within_the_restricted_standard(case: Case, server: ApiServer, restricted: str) -> None:
    (template,) = _templates(case)
    metadata = {**template["metadata"], "name": "hello"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    answer = server.ask("POST", f"/api/v1/namespaces/{restricted}/pods?dryRun=All&fieldValidation=Strict", pod)
    if case.name in ON_THE_NODES_NETWORK:
        assert 'violates PodSecurity "restricted' in answer.body["message"]
    else:
        assert answer.status == 201, answer.body["message"]


@pytest.mark.parametrize("row", [row for row in RIGHT if row.reason not in NO_PODS], ids=lambda row: row.reason)
def test_the_server_takes_what_any_right_app_becomes(row: Row, server: ApiServer) -> None:
    app = read(document(row.spec), "app")
    context = Context(runner_image="registry.test/wherry-runner:0.1.0")
    for manifest in render(app, artifact_of(app, {"exports": ["_start"]} if _is_command(app) else {}), context):
        answer = apply(server, manifest, query="&dryRun=All")
        assert answer.status in (200, 201), answer.body["message"]


def _is_command(app: Any) -> bool:
    return app.spec.run not in (None, "http")
