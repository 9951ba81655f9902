"""The cluster by app: what is seen of a real API server, who is told, and what is not looked at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.clients import BRISK, cluster_of, config_map, deployment, observed_by, until, wasm_app
from tests.support.control_plane import ControlPlane
from tests.support.fake_node import FakeNode
from wherry_operator.cluster.feeds import Scope
from wherry_operator.cluster.observed import Observed
from wherry_operator.cluster.sources import Versions
from wherry_operator.cluster.writing import Cluster
from wherry_operator.manifest import Identity, Key, Manifest

pytestmark = pytest.mark.peer
MERGE = "application/merge-patch+json"
Scenario = Callable[[Observed, Cluster, list[Key]], Awaitable[Any]]


def _run(plane: ControlPlane, scope: Scope, scenario: Scenario, **credentials: str) -> Any:
    """The scenario's answer; it gets what is observed, a way to write, and the apps that subscribers were told of."""

    async def connected() -> Any:
        async with (
            cluster_of(plane.kubeconfig(**credentials)) as (connection, cluster),
            observed_by(connection, scope, replace(BRISK, watch=30.0)) as observed,
        ):
            told: list[Key] = []
            observed.subscribe(told.append)
            await asyncio.wait_for(observed.wait_synced(), 60)
            return await scenario(observed, cluster, told)

    return asyncio.run(connected())


def _here(namespace: str) -> Scope:
    return Scope(namespaces=(namespace,))


def test_children_and_pods_are_found_by_app(control_plane: ControlPlane, node: FakeNode, namespace: str) -> None:
    key = Key(namespace, "a")

    async def scenario(observed: Observed, cluster: Cluster, _told: list[Key]) -> tuple[list[str], set[str], set[str]]:
        await cluster.apply(deployment(namespace, "a", replicas=2))
        await cluster.apply(deployment(namespace, "b"))
        await until(lambda: {each["status"].get("phase") for each in observed.pods(key)} == {"Running"})
        await until(lambda: len(observed.pods(key)) == 2)
        kinds = [each["kind"] for each in observed.children(key)]
        nodes = {each["spec"]["nodeName"] for each in observed.pods(key)}
        return kinds, nodes, {name for each in observed.children(key) for name in each["metadata"]}

    kinds, nodes, metadata = _run(control_plane, _here(namespace), scenario)
    assert kinds == ["Deployment"]
    assert nodes == {node.name}
    assert "managedFields" not in metadata


def test_a_child_that_gets_another_label_leaves_its_app_and_both_are_told(
    control_plane: ControlPlane, namespace: str
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/a"
    relabelled = {"metadata": {"labels": {"wherry.dev/app": "b"}}}

    async def scenario(observed: Observed, cluster: Cluster, told: list[Key]) -> list[Key]:
        await cluster.apply(deployment(namespace, "a"))
        await until(lambda: observed.children(Key(namespace, "a")))
        control_plane.server.ask("PATCH", path, relabelled, MERGE)
        await until(lambda: observed.children(Key(namespace, "b")))
        assert observed.children(Key(namespace, "a")) == ()
        return told

    told = _run(control_plane, _here(namespace), scenario)
    assert {Key(namespace, "a"), Key(namespace, "b")} <= set(told)


def test_a_change_of_a_source_tells_its_readers_and_nobody_else(control_plane: ControlPlane, namespace: str) -> None:
    source = Identity("v1", "ConfigMap", namespace, "settings")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control_plane.create(path, config_map(namespace, "settings", {"a": "1"}))

    async def scenario(observed: Observed, _cluster: Cluster, told: list[Key]) -> tuple[dict[Identity, str], list[Key]]:
        observed.reads(Key(namespace, "reader"), [source])
        observed.reads(Key(namespace, "was-reader"), [source])
        observed.reads(Key(namespace, "was-reader"), [])
        before = observed.versions(Key(namespace, "reader"))
        control_plane.server.ask("PATCH", f"{path}/settings", {"data": {"a": "2"}}, MERGE)
        await until(lambda: observed.versions(Key(namespace, "reader")) != before)
        return before, told

    before, told = _run(control_plane, _here(namespace), scenario)
    assert before.keys() == {source}
    assert set(told) == {Key(namespace, "reader")}


def test_sources_that_come_and_go_are_told(control_plane: ControlPlane, namespace: str) -> None:
    source = Identity("v1", "Secret", namespace, "keys")
    path = f"/api/v1/namespaces/{namespace}/secrets"

    async def scenario(observed: Observed, _cluster: Cluster, told: list[Key]) -> int:
        observed.reads(Key(namespace, "a"), [source])
        assert observed.versions(Key(namespace, "a")) == {}
        control_plane.create(path, {"metadata": {"name": "keys"}, "stringData": {"a": "1"}})
        await until(lambda: observed.versions(Key(namespace, "a")))
        control_plane.server.ask("DELETE", f"{path}/keys")
        await until(lambda: not observed.versions(Key(namespace, "a")))
        return len(told)

    assert _run(control_plane, _here(namespace), scenario) == 2


def test_what_is_in_sources_is_never_read_by_a_watch(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory holds no secret that nobody asked for."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    control_plane.create(path, {"metadata": {"name": "keys"}, "data": {"a": "dGhlLXNlY3JldC1pdHNlbGY="}})
    seen: list[str] = []

    async def scenario(observed: Observed, _cluster: Cluster, _told: list[Key]) -> None:
        await until(lambda: "keys" in "".join(seen))

    def put(self: Versions, manifest: Manifest) -> None:
        seen.append(json.dumps(manifest))

    monkeypatch.setattr(Versions, "put", put)
    _run(control_plane, _here(namespace), scenario)
    assert "dGhlLXNlY3JldC1pdHNlbGY" not in "".join(seen)


def test_secrets_and_nodes_are_left_alone_when_the_scope_says_so(control_plane: ControlPlane, namespace: str) -> None:
    every = [
        "apps",
        "batch",
        "policy",
        "autoscaling",
        "networking.k8s.io",
        "events.k8s.io",
        "gateway.networking.k8s.io",
    ]
    rules = [
        {"apiGroups": every, "resources": ["*"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["configmaps", "pods", "services"], "verbs": ["list", "watch"]},
    ]
    token = control_plane.account(namespace, "narrow", rules)
    mark = control_plane.audit.mark()

    async def scenario(observed: Observed, _cluster: Cluster, _told: list[Key]) -> int | None:
        return observed.ready_nodes()

    scope = Scope(namespaces=(namespace,), secrets=False, nodes=False)
    assert _run(control_plane, scope, scenario, token=token) is None
    asked = control_plane.asked(mark, user=f"system:serviceaccount:{namespace}:narrow")
    assert asked
    assert {each.status for each in asked} <= {200, 404}
    assert {each.resource for each in asked if each.status == 404} == {"httproutes.gateway.networking.k8s.io"}


def test_nodes_that_can_run_wasm_are_counted_and_apps_hear_when_there_are_none(
    control_plane: ControlPlane, node: FakeNode, namespace: str
) -> None:
    async def scenario(observed: Observed, cluster: Cluster, told: list[Key]) -> tuple[int | None, int | None]:
        observed.put_app(await cluster.apply(wasm_app(namespace, "a")))
        before = observed.ready_nodes()
        told.clear()
        node.label({"wherry.dev/runtime": None})
        try:
            await until(lambda: told)
            return before, observed.ready_nodes()
        finally:
            node.label({"wherry.dev/runtime": "ready"})

    assert _run(control_plane, _here(namespace), scenario) == (1, 0)


def test_a_trap_is_found_by_the_pod_that_it_was_in(control_plane: ControlPlane, node: FakeNode, namespace: str) -> None:
    key = Key(namespace, "a")
    events = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"

    async def scenario(observed: Observed, cluster: Cluster, told: list[Key]) -> Any:
        await cluster.apply(deployment(namespace, "a"))
        await until(lambda: observed.pods(key))
        pod = observed.pods(key)[0]["metadata"]["name"]
        told.clear()
        control_plane.create(events, _trapped(namespace, pod, "trap/unreachable: unreachable was executed\n  main"))
        await until(lambda: observed.traps(key))
        return observed.traps(key)[0], pod, told

    trap, pod, told = _run(control_plane, _here(namespace), scenario)
    assert (trap.time, trap.pod, trap.reason) == ("2026-01-31T12:00:00Z", pod, "trap/unreachable")
    assert trap.message == "unreachable was executed\n  main"
    assert key in told


def _trapped(namespace: str, pod: str, note: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": namespace, "name": f"{pod}.1"},
        "eventTime": "2026-01-31T12:00:00.123456Z",
        "type": "Warning",
        "reason": "GuestTrapped",
        "action": "Report",
        "note": note,
        "regarding": {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": pod},
        "reportingController": "wherry.dev/agent",
        "reportingInstance": "agent-1",
    }


def test_apps_come_and_go_from_whoever_watches_them(control_plane: ControlPlane, namespace: str) -> None:
    key = Key(namespace, "a")

    async def scenario(observed: Observed, cluster: Cluster, told: list[Key]) -> tuple[list[Key], Any, Any]:
        made = await cluster.apply(wasm_app(namespace, "a"))
        observed.put_app(made)
        observed.put_app(made)
        known = observed.app(key)
        observed.forget_app(key)
        return told, known, observed.app(key)

    told, known, forgotten = _run(control_plane, _here(namespace), scenario)
    assert told == [key, key]
    assert known["spec"]["artifact"] == "registry.example/app:v1"
    assert forgotten is None


def test_a_kind_that_comes_later_is_watched_then(control_plane: ControlPlane, namespace: str) -> None:
    """The Gateway API is installed while the operator runs."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    group = "/apis/gateway.networking.k8s.io/v1"
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"namespace": namespace, "name": "a", "labels": {"wherry.dev/app": "a"}},
        "spec": {"hostnames": ["a.example"]},
    }

    async def scenario(observed: Observed, cluster: Cluster, _told: list[Key]) -> list[str]:
        control_plane.create(crds, HTTP_ROUTES)
        try:
            await until(lambda: control_plane.server.ask("GET", f"{group}/httproutes").status == 200)
            await cluster.apply(route)
            await until(lambda: observed.children(Key(namespace, "a")))
            return [each["kind"] for each in observed.children(Key(namespace, "a"))]
        finally:
            control_plane.server.ask("DELETE", f"{crds}/httproutes.gateway.networking.k8s.io")
            await until(lambda: control_plane.server.ask("GET", f"{group}/httproutes").status == 404)

    assert _run(control_plane, _here(namespace), scenario) == ["HTTPRoute"]


HTTP_ROUTES = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "httproutes.gateway.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/1"},
    },
    "spec": {
        "group": "gateway.networking.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "HTTPRoute", "listKind": "HTTPRouteList", "plural": "httproutes", "singular": "httproute"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}
"""As much of it as a watch needs."""
