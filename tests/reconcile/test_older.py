"""What an older operator and an older definition left in the API server is no obstacle."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.apiserver import until
from tests.support.operators import Operator
from tests.support.places import Manifest, Place

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/wasmapps.wherry.dev"
APPS = "/apis/wherry.dev/v1alpha1/namespaces/{}/wasmapps"


def test_an_object_of_an_older_schema_still_reconciles(place: Place, operated: Operator) -> None:
    """It has a field that is no more, lacks one that has a default now, and a status that nobody would write."""
    with older_definition(place):
        spec = {"artifact": f"{place.host}/demo/hello:v1", "run": "http", "legacy": "yes"}
        body = {"apiVersion": "wherry.dev/v1alpha1", "kind": "WasmApp", "metadata": {"name": "old"}, "spec": spec}
        path = APPS.format(place.namespace)
        made = until(lambda: accepted(place, path, body)) or {}
        assert made["spec"]["legacy"] == "yes"
        assert "port" not in made["spec"]
        status = {"legacy": "yes", "conditions": [{"type": "Ready", "status": "True"}]}
        assert place.plane.server.ask("PUT", f"{path}/old/status", made | {"status": status}).status == 200
    app = place.until_condition("old", "Ready", "Ready")
    assert "legacy" not in app["spec"]
    assert app["status"]["readyReplicas"] == 1


def accepted(place: Place, path: str, body: Manifest) -> Manifest | None:
    """The object, once the API server keeps the field: a changed definition takes a moment."""
    answer = place.plane.server.ask("POST", f"{path}?dryRun=All", body)
    if answer.body.get("spec", {}).get("legacy") != "yes":
        return None
    return place.plane.server.ask("POST", path, body).body


@contextmanager
def older_definition(place: Place) -> Iterator[None]:
    """A definition with another field, without a default, and with a status that takes everything."""
    server = place.plane.server
    now = server.ask("GET", CRD).body
    then = copy.deepcopy(now)
    schema = then["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["legacy"] = {"type": "string"}
    del schema["properties"]["spec"]["properties"]["port"]["default"]
    schema["properties"]["status"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    assert server.ask("PUT", CRD, then).status == 200
    try:
        yield
    finally:
        version = server.ask("GET", CRD).body["metadata"]["resourceVersion"]
        now["metadata"]["resourceVersion"] = version
        assert server.ask("PUT", CRD, now).status == 200
