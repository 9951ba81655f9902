"""A real API server that knows what the chart's objects need to be there before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart.helm import NAMESPACE, objects
from tests.support.apiserver import ENABLE, NO_ACCOUNTS, ApiServer, api_server, programs, until

NAMESPACES = (NAMESPACE, "team-a", "team-b")
MONITORS = (("ServiceMonitor", "servicemonitors", "endpoints"), ("PodMonitor", "podmonitors", "podMetricsEndpoints"))


def monitor(kind: str, plural: str, endpoints: str) -> dict[str, Any]:
    """As much of the Prometheus operator's definition as the chart uses, and strict about it."""
    text = {"type": "string"}
    endpoint = {"port": text, "interval": text, "honorLabels": {"type": "boolean"}}
    labels = {"type": "object", "additionalProperties": text}
    spec = {
        "selector": {"type": "object", "properties": {"matchLabels": labels}},
        endpoints: {"type": "array", "items": {"type": "object", "properties": endpoint}},
    }
    properties = {"spec": {"type": "object", "properties": spec, "required": ["selector", endpoints]}}
    version = {"name": "v1", "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": plural.removesuffix("s"), "listKind": f"{kind}List"},
            "versions": [version | {"schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}}],
        },
    }


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    if (folder := programs()) is None:
        pytest.skip(f"no kube-apiserver here: {ENABLE}")
    with api_server(tmp_path_factory.mktemp("api"), folder, NO_ACCOUNTS, "--allow-privileged") as running:
        for name in NAMESPACES:
            running.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        # Pods name them; helm makes them before any Pod.
        for each in filter(lambda each: each["kind"] == "RuntimeClass", objects()):
            running.ask("POST", "/apis/node.k8s.io/v1/runtimeclasses", each)
        for kind in MONITORS:
            running.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", monitor(*kind))
        until(lambda: all(served(running, plural) for _, plural, _ in MONITORS))
        yield running


def served(server: ApiServer, plural: str) -> bool:
    return server.ask("GET", f"/apis/monitoring.coreos.com/v1/{plural}").status == 200
