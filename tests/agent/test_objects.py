"""What an agent changes in a cluster, with the rights of the chart and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.agent.station import Station
from wherry.cluster.failures import Forbidden
from wherry.cluster.request import Request
from wherry.cluster.resources import NODE, SECRET, Resource
from wherry.cluster.telling import Reporter, Teller
from wherry_agent.names import REPORTER, Outcome
from wherry_agent.node_object import NodeObject
from wherry_agent.pods import Pods
from wherry_agent.trap_events import TrapEvents
from wherry_agent.trap_files import Trapped
from wherry_operator.cluster import traps

pytestmark = [pytest.mark.peer, pytest.mark.slow]

MESSAGE = "trap/unreachable: the guest executed an unreachable instruction\nmain.go:7\n    in request GET / id=1"


def with_node(station: Station, work: Callable[[NodeObject], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with station.connected() as connection:
            await work(NodeObject(connection, station.post))

    asyncio.run(scenario())


def test_a_node_is_marked_with_its_version_and_left_as_it_was(station: Station) -> None:
    before = station.metadata("Node", station.node)
    marked: list[bool] = []

    async def work(node: NodeObject) -> None:
        marked.append(await node.is_marked())
        await node.mark("0.1.0-abc")
        marked.append(await node.is_marked())

    with_node(station, work)
    after = station.metadata("Node", station.node)
    assert marked == [False, True]
    assert after["labels"] == {**before["labels"], "wherry.dev/runtime": "ready"}
    assert after["annotations"]["wherry.dev/installed"] == "0.1.0-abc"
    with_node(station, NodeObject.withdraw)
    with_node(station, NodeObject.withdraw)
    left = station.metadata("Node", station.node)
    assert (left["labels"], left["annotations"]) == (before["labels"], before["annotations"])


def test_an_answer_is_on_the_agents_own_pod(station: Station) -> None:
    with_node(station, lambda node: node.answer(Outcome("o1", "3 Wasm pods run here")))
    annotations = station.metadata("Pod", station.pod)["annotations"]
    assert Outcome.parse(annotations["wherry.dev/uninstall-outcome"]) == Outcome("o1", "3 Wasm pods run here")


def test_a_trap_is_an_event_of_the_pod_that_people_and_the_operator_read(station: Station) -> None:
    station.create("Pod", {"metadata": {"name": "cart", "labels": {"wherry.dev/app": "cart"}}, "spec": POD_SPEC})
    pod = station.get("Pod", "cart").body
    pods = Pods()
    pods.put(pod)

    async def scenario() -> None:
        async with station.connected() as connection:
            teller = Teller(connection, Reporter(controller=REPORTER, instance="a1", action="Run"))
            events = TrapEvents(pods, teller)
            await events.tell([Trapped(pod["metadata"]["uid"], "app", (MESSAGE, MESSAGE))])

    asyncio.run(scenario())
    (event,) = station.get("Event").body["items"]
    assert (event["reason"], event["type"], event["series"]["count"]) == ("GuestTrapped", "Warning", 2)
    about = event["involvedObject"]
    assert (about["kind"], about["name"], about["uid"]) == ("Pod", "cart", pod["metadata"]["uid"])
    assert about["fieldPath"] == "spec.containers{app}"
    path = f"/apis/events.k8s.io/v1/namespaces/{station.name}/events/{event['metadata']['name']}"
    read = traps.trap(station.server.ask("GET", path).body)
    assert (read.pod, read.reason, read.message) == (
        "cart",
        "trap/unreachable",
        MESSAGE.removeprefix("trap/unreachable: "),
    )
    assert event["metadata"]["labels"] == {"wherry.dev/app": "cart"}


POD_SPEC = {"containers": [{"name": "app", "image": "x"}]}


@pytest.mark.parametrize(
    ("verb", "resource"), [("list", SECRET), ("list", NODE), ("delete", NODE)], ids=["secrets", "nodes", "a node"]
)
def test_an_agent_may_not_do_what_it_does_not_need(station: Station, verb: str, resource: Resource) -> None:
    name = station.node if verb == "delete" else ""

    async def scenario() -> None:
        async with station.connected() as connection:
            await connection.ask(Request(verb=verb, resource=resource, name=name))  # type: ignore[arg-type]

    with pytest.raises(Forbidden):
        asyncio.run(scenario())
