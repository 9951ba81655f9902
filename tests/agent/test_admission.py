"""The admission policies that narrow what RBAC gives to agents, on a real API server with Pods' own tokens."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.agent.cluster import RULES
from tests.agent.station import Station
from tests.support.apiserver import until
from wherry.cluster.failures import ClusterError
from wherry.cluster.request import MERGE_PATCH, Request
from wherry.cluster.resources import NODE, POD
from wherry_agent.node_object import NodeObject
from wherry_agent.probe_pod import probe_pod

pytestmark = [pytest.mark.peer, pytest.mark.slow]

KINDS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
ACCOUNT = "system:serviceaccount:wherry-system:wherry-agent"


@pytest.fixture
def guarded(station: Station) -> Iterator[Station]:
    """With the policies, for this station's agent."""
    text = (RULES / "agent-admission.yaml").read_text()
    documents = list(yaml.safe_load_all(text.replace(ACCOUNT, f"system:serviceaccount:{station.name}:wherry-agent")))
    for each in documents:
        answer = station.server.ask("POST", _path(each), each)
        assert answer.status == 201, answer.body
    numbers = itertools.count()
    try:
        until(lambda: refused(station, station.node, {"metadata": {"annotations": {"tried": str(next(numbers))}}}))
        yield station
    finally:
        for each in documents:
            station.server.ask("DELETE", f"{_path(each)}/{each['metadata']['name']}")


def _path(document: dict[str, Any]) -> str:
    return f"/apis/admissionregistration.k8s.io/v1/{KINDS[document['kind']]}"


def refused(station: Station, node: str, patch: dict[str, Any]) -> str:
    """What the API server says to the agent that wants this; "" when it is done."""

    async def scenario() -> None:
        async with station.connected(pod=station.pod) as connection:
            request = Request(verb="patch", resource=NODE, name=node, body=patch, content_type=MERGE_PATCH)
            await connection.ask(request)

    try:
        asyncio.run(scenario())
    except ClusterError as failure:
        return failure.message
    return ""


def test_an_agent_marks_its_own_node_and_takes_the_mark_off(guarded: Station) -> None:
    async def scenario() -> None:
        async with guarded.connected(pod=guarded.pod) as connection:
            node = NodeObject(connection, guarded.post)
            await node.mark("0.1.0-abc")
            assert await node.is_marked()
            await node.withdraw()

    asyncio.run(scenario())
    assert "wherry.dev/runtime" not in guarded.metadata("Node", guarded.node)["labels"]


def test_an_agent_changes_no_other_node(guarded: Station) -> None:
    guarded.create("Node", {"metadata": {"name": f"other-{guarded.name}"}})
    label = {"metadata": {"labels": {"wherry.dev/runtime": "ready"}}}
    assert "its own node only" in refused(guarded, f"other-{guarded.name}", label)


@pytest.mark.parametrize(
    "patch",
    [
        {"spec": {"unschedulable": True}},
        {"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}},
        {"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}},
        {"metadata": {"labels": {"theirs": None}}},
        {"metadata": {"labels": {"theirs": "changed"}}},
        {"metadata": {"annotations": {"another": "x"}}},
        {"metadata": {"finalizers": ["example.com/held"]}},
    ],
    ids=["cordon", "taint", "a new label", "a label away", "another value", "an annotation", "a finalizer"],
)
def test_an_agent_changes_nothing_else_of_its_node(guarded: Station, patch: dict[str, Any]) -> None:
    assert "nothing of a node but" in refused(guarded, guarded.node, patch)


def test_the_probes_runtime_class_is_for_agents_alone(guarded: Station) -> None:
    pod = dict(probe_pod(guarded.get("Pod", guarded.pod).body, "wherry-probe"))
    until(lambda: "for the node agents" in guarded.would_say("Pod", pod))

    async def scenario() -> None:
        async with guarded.connected(pod=guarded.pod) as connection:
            await connection.ask(Request(verb="create", resource=POD, namespace=guarded.name, body=pod))

    asyncio.run(scenario())
    assert guarded.get("Pod", f"{guarded.pod}-probe").status == 200
