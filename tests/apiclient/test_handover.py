"""Replicas that the operator stops setting stay what they are, on a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.clients import AGENT, cluster_of, deployment
from tests.support.control_plane import ControlPlane
from wherry_operator.cluster.writing import Cluster
from wherry_operator.manifest import Identity

pytestmark = pytest.mark.peer
Scenario = Callable[[Cluster], Awaitable[Any]]
MERGE = "application/merge-patch+json"


def _run(plane: ControlPlane, scenario: Scenario) -> Any:
    async def connected() -> Any:
        async with cluster_of(plane.kubeconfig()) as (_, cluster):
            return await scenario(cluster)

    return asyncio.run(connected())


def test_without_a_handover_an_app_of_three_would_become_one(control_plane: ControlPlane, namespace: str) -> None:
    """Why all this is needed: the day that Kubernetes does otherwise, the handover can go."""

    async def scenario(cluster: Cluster) -> int:
        await cluster.apply(deployment(namespace, "a", replicas=3))
        return int((await cluster.apply(deployment(namespace, "a")))["spec"]["replicas"])

    assert _run(control_plane, scenario) == 1


def test_replicas_stay_when_the_operator_stops_setting_them(control_plane: ControlPlane, namespace: str) -> None:
    identity = Identity("apps/v1", "Deployment", namespace, "a")

    async def scenario(cluster: Cluster) -> int:
        await cluster.apply(deployment(namespace, "a", replicas=3))
        await cluster.hand_over_replicas(identity)
        return int((await cluster.apply(deployment(namespace, "a")))["spec"]["replicas"])

    assert _run(control_plane, scenario) == 3


def test_an_autoscaler_goes_on_from_there_and_is_left_alone(control_plane: ControlPlane, namespace: str) -> None:
    identity = Identity("apps/v1", "Deployment", namespace, "a")
    scale = f"/apis/apps/v1/namespaces/{namespace}/deployments/a/scale"

    async def scenario(cluster: Cluster) -> int:
        await cluster.apply(deployment(namespace, "a", replicas=3))
        await cluster.hand_over_replicas(identity)
        await cluster.apply(deployment(namespace, "a"))
        control_plane.server.ask("PATCH", scale, {"spec": {"replicas": 5}}, MERGE)
        await cluster.hand_over_replicas(identity)
        return int((await cluster.apply(deployment(namespace, "a", minReadySeconds=1)))["spec"]["replicas"])

    assert _run(control_plane, scenario) == 5


def test_the_operator_takes_replicas_back(control_plane: ControlPlane, namespace: str) -> None:
    identity = Identity("apps/v1", "Deployment", namespace, "a")

    async def scenario(cluster: Cluster) -> list[int]:
        counts = []
        await cluster.apply(deployment(namespace, "a", replicas=3))
        for replicas in (2, 4):
            await cluster.hand_over_replicas(identity)
            counts.append((await cluster.apply(deployment(namespace, "a")))["spec"]["replicas"])
            counts.append((await cluster.apply(deployment(namespace, "a", replicas=replicas)))["spec"]["replicas"])
        return counts

    assert _run(control_plane, scenario) == [3, 2, 2, 4]


def test_nothing_is_written_when_there_is_nothing_to_hand_over(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario(cluster: Cluster) -> int:
        await cluster.apply(deployment(namespace, "ours"))
        mark = control_plane.audit.mark()
        for name in ("ours", "absent"):
            await cluster.hand_over_replicas(Identity("apps/v1", "Deployment", namespace, name))
        return mark

    mark = _run(control_plane, scenario)
    asked = control_plane.asked(mark, agent=f"{AGENT}/")
    assert [each.verb for each in asked] == ["get", "get"]
