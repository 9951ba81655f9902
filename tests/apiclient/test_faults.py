"""Writes through a way on which requests fail, hang, conflict and get lost: in the end the right thing is there."""

from __future__ import annotations

import asyncio
import gc
import random
import warnings
from dataclasses import replace

import pytest

from tests.support.clients import AGENT, QUICK, cluster_of, config_map, deployment, wasm_app
from tests.support.control_plane import ControlPlane
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault, Faults, always, once
from wherry.cluster.failures import Unavailable
from wherry_operator.cluster.writing import Cluster
from wherry_operator.manifest import Identity, Key

pytestmark = pytest.mark.peer
MERGE = "application/merge-patch+json"


async def _write(cluster: Cluster, namespace: str, chance: random.Random, wanted: dict[str, str]) -> None:
    """One write, of which `wanted` tells what must be so in the end."""
    name, value = f"object-{chance.randrange(6)}", str(chance.random())
    identity = Identity("v1", "ConfigMap", namespace, name)
    if chance.random() < 0.25:
        found = await cluster.get(identity)
        if found is not None:
            await cluster.delete(identity, found["metadata"]["uid"])
        wanted.pop(name, None)
        return
    await cluster.apply(config_map(namespace, name, {"said": value}, app="a"))
    wanted[name] = value


@pytest.mark.parametrize("seed", range(2))
def test_applies_and_deletes_end_in_the_right_state(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, seed: int
) -> None:
    chance, wanted = random.Random(seed), dict[str, str]()
    proxy.plan(Faults(seed, share=0.4))

    async def scenario() -> None:
        patient = replace(QUICK, attempt=0.5)
        async with cluster_of(control_plane.kubeconfig(url=proxy.url), patient) as (_, cluster):
            for _ in range(60):
                await _write(cluster, namespace, chance, wanted)

    asyncio.run(scenario())
    listed = control_plane.server.ask("GET", f"/api/v1/namespaces/{namespace}/configmaps?labelSelector=wherry.dev/app")
    assert {each["metadata"]["name"]: each["data"]["said"] for each in listed.body["items"]} == wanted
    assert len(proxy.made) > 5


def test_a_status_gets_through_and_is_written_as_told(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    app = control_plane.create(f"/apis/wherry.dev/v1alpha1/namespaces/{namespace}/wasmapps", wasm_app(namespace, "a"))
    proxy.plan(Faults(3, share=0.5))

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig(url=proxy.url), replace(QUICK, attempt=0.5)) as (_, cluster):
            for generation in range(1, 21):
                await cluster.patch_status(
                    Key(namespace, "a"), {"observedGeneration": generation}, app["metadata"]["uid"]
                )

    asyncio.run(scenario())
    path = f"/apis/wherry.dev/v1alpha1/namespaces/{namespace}/wasmapps/a"
    assert control_plane.server.ask("GET", path).body["status"]["observedGeneration"] == 20
    assert proxy.made.total() > 5


def test_a_deletion_whose_answer_was_lost_spares_what_came_after_it(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    """Somebody makes the object anew between the two attempts."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    first = control_plane.create(path, config_map(namespace, "a", {"made": "first"}))
    identity = Identity("v1", "ConfigMap", namespace, "a")

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig(url=proxy.url)) as (_, cluster):
            proxy.plan(once(Fault.LOST))
            proxy.between(lambda: control_plane.create(path, config_map(namespace, "a", {"made": "again"})))
            await cluster.delete(identity, first["metadata"]["uid"])

    asyncio.run(scenario())
    assert control_plane.server.ask("GET", f"{path}/a").body["data"] == {"made": "again"}


def test_an_outage_that_is_longer_than_patience_is_told_in_words(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig(url=proxy.url), replace(QUICK, budget=0.1)) as (_, cluster):
            await cluster.apply(deployment(namespace, "a"))

    with proxy.outage(), pytest.raises(Unavailable) as failure:
        asyncio.run(scenario())
    assert failure.value.message.startswith(
        f"patch deployments.apps {namespace}/a: the connection to the API server failed: "
    )


def test_a_server_that_does_not_answer_is_told_in_words(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    async def scenario() -> None:
        impatient = replace(QUICK, attempt=0.1, budget=0.1)
        async with cluster_of(control_plane.kubeconfig(url=proxy.url), impatient) as (_, cluster):
            await cluster.apply(deployment(namespace, "a"))

    proxy.plan(always(Fault.STALLED))
    with pytest.raises(Unavailable, match="the API server did not answer in time"):
        asyncio.run(scenario())


def test_no_more_is_asked_at_once_than_one_client_may(control_plane: ControlPlane, namespace: str) -> None:
    """A hundred writes at once wait for each other here, and not in the API server's queues."""
    mark = control_plane.audit.mark()

    async def scenario() -> int:
        most = 0
        async with cluster_of(control_plane.kubeconfig()) as (connection, cluster):
            send = connection._send
            under_way = [0]

            async def counted(*args: object) -> object:
                nonlocal most
                under_way[0] += 1
                most = max(most, under_way[0])
                try:
                    return await send(*args)  # type: ignore[arg-type]
                finally:
                    under_way[0] -= 1

            connection._send = counted  # type: ignore[assignment, method-assign]
            await asyncio.gather(
                *(cluster.apply(config_map(namespace, f"c-{number}", {"a": "1"})) for number in range(100))
            )
        return most

    assert 1 < asyncio.run(scenario()) <= 16
    asked = control_plane.asked(mark, agent=AGENT)
    assert len([each for each in asked if each.verb == "patch" and each.namespace == namespace]) == 100


def test_a_request_that_was_cancelled_leaves_no_socket_open(control_plane: ControlPlane, namespace: str) -> None:
    """Its connection says farewell first, for which the end does not wait."""
    identity = Identity("v1", "ConfigMap", namespace, "a")

    async def scenario() -> None:
        async with cluster_of(control_plane.kubeconfig()) as (_, cluster):
            await cluster.get(identity)
            asked = asyncio.create_task(cluster.get(identity))
            await asyncio.sleep(0)
            asked.cancel()
            await asyncio.wait([asked])

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(scenario())
        gc.collect()
    assert [str(each.message) for each in told] == []
