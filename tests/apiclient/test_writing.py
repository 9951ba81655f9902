"""Writes against a real API server: what they leave behind, and what they say when they cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.clients import AGENT, cluster_of, config_map, deployment, wasm_app
from tests.support.control_plane import ControlPlane
from wherry.cluster.failures import Forbidden, Invalid, NotFound, Refused, Replaced
from wherry_operator.manifest import Identity, Key, Manifest

pytestmark = pytest.mark.peer


def test_what_is_applied_twice_is_written_once(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> tuple[Manifest, Manifest]:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            wanted = config_map(namespace, "a", {"said": "1"})
            return await cluster.apply(wanted), await cluster.apply(wanted)

    first, second = asyncio.run(scenario())
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_field_that_is_applied_no_longer_goes(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> Manifest:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.apply(config_map(namespace, "a", {"old": "1", "new": "1"}))
            return await cluster.apply(config_map(namespace, "a", {"new": "1"}))

    assert asyncio.run(scenario())["data"] == {"new": "1"}


def test_another_field_manager_keeps_what_we_do_not_set_and_loses_what_we_do(
    control_plane: ControlPlane, namespace: str
) -> None:
    async def scenario() -> Manifest:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.apply(config_map(namespace, "a", {"theirs": "1", "ours": "theirs"}), "somebody-else")
            return await cluster.apply(config_map(namespace, "a", {"ours": "ours"}))

    assert asyncio.run(scenario())["data"] == {"theirs": "1", "ours": "ours"}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        pytest.param(
            {"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0", id="value"
        ),
        pytest.param({"replica": 1}, ".spec.replica: field not declared in schema", id="name"),
        pytest.param({"replicas": "x"}, ".spec.replicas: expected numeric (int or float), got string", id="type"),
    ],
)
def test_what_is_not_acceptable_is_told_in_the_words_of_the_api_server_at_once(
    control_plane: ControlPlane, namespace: str, spec: dict[str, Any], says: str
) -> None:
    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.apply(deployment(namespace, "a", **spec))

    mark = control_plane.audit.mark()
    with pytest.raises(Invalid) as failure:
        asyncio.run(scenario())
    assert failure.value.message.startswith(f"patch deployments.apps {namespace}/a: ")
    assert failure.value.message.endswith(says)
    assert len(control_plane.asked(mark, agent=f"{AGENT}/")) == 1


def test_a_namespace_that_is_not_there_is_not_found(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.apply(deployment("nowhere", "a"))

    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        asyncio.run(scenario())


def test_a_namespace_that_is_going_away_refuses_and_says_so(control_plane: ControlPlane, namespace: str) -> None:
    body = {"metadata": {"name": "holds", "namespace": namespace, "finalizers": ["example.com/holds"]}}
    control_plane.create(f"/api/v1/namespaces/{namespace}/configmaps", body)
    control_plane.server.ask("DELETE", f"/api/v1/namespaces/{namespace}")

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.apply(deployment(namespace, "a"))

    try:
        with pytest.raises(Refused) as failure:
            asyncio.run(scenario())
        assert failure.value.terminating
    finally:
        merge = "application/merge-patch+json"
        path = f"/api/v1/namespaces/{namespace}/configmaps/holds"
        control_plane.server.ask("PATCH", path, {"metadata": {"finalizers": None}}, merge)


def test_a_missing_permission_is_named(control_plane: ControlPlane, namespace: str) -> None:
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]
    token = control_plane.account(namespace, "reader", rules)

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig(token=token)) as (_, cluster):
            assert await cluster.get(Identity("apps/v1", "Deployment", namespace, "a")) is None
            await cluster.apply(deployment(namespace, "a"))

    with pytest.raises(Forbidden) as failure:
        asyncio.run(scenario())
    assert f'"system:serviceaccount:{namespace}:reader" cannot patch resource "deployments"' in failure.value.message
    assert failure.value.cure == "the service account's role must grant patch on deployments.apps"


def test_only_the_object_with_the_uid_is_deleted(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> tuple[Manifest | None, Manifest | None]:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            applied = await cluster.apply(deployment(namespace, "a"))
            identity = Identity.of(applied)
            await cluster.delete(identity, "00000000-0000-0000-0000-000000000000")
            spared = await cluster.get(identity)
            await cluster.delete(identity, applied["metadata"]["uid"])
            await cluster.delete(identity, applied["metadata"]["uid"])
            return spared, await cluster.get(identity)

    spared, gone = asyncio.run(scenario())
    assert spared is not None
    assert gone is None


def test_a_status_is_replaced_as_a_whole(control_plane: ControlPlane, namespace: str) -> None:
    key = Key(namespace, "a")
    trap = {"time": "2026-01-31T12:00:00Z", "pod": "a-1", "reason": "trap/unreachable", "message": "m"}

    async def scenario() -> Manifest:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            app = await cluster.apply(wasm_app(namespace, "a"))
            await cluster.patch_status(key, {"observedGeneration": 1, "lastTrap": trap}, app["metadata"]["uid"])
            await cluster.patch_status(key, {"observedGeneration": 1, "url": "http://a"}, app["metadata"]["uid"])
            found = await cluster.get(Identity.of(app))
            assert found is not None
            return found

    status = asyncio.run(scenario())["status"]
    assert status["url"] == "http://a"
    assert "lastTrap" not in status


def test_a_status_is_not_written_to_another_app_of_the_same_name(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.apply(wasm_app(namespace, "a"))
            await cluster.patch_status(Key(namespace, "a"), {}, "00000000-0000-0000-0000-000000000000")

    with pytest.raises(Replaced, match="another app has the name by now"):
        asyncio.run(scenario())


def test_a_status_that_the_schema_does_not_take_is_told_by_field(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            app = await cluster.apply(wasm_app(namespace, "a"))
            await cluster.patch_status(Key(namespace, "a"), {"replicas": "many"}, app["metadata"]["uid"])

    with pytest.raises(Invalid, match=r"status\.replicas: Invalid value") as failure:
        asyncio.run(scenario())
    assert "<nil>" not in failure.value.message
