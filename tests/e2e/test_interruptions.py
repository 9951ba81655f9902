"""Something stops or dies while an app is asked without end: nothing is lost but what was in its hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.architecture.tree import ROOT
from tests.e2e.client import Client, Load, Loading
from tests.e2e.cluster import SYSTEM, Cluster, Manifest, run
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO

pytestmark = [pytest.mark.peer, pytest.mark.slow]

REGISTRY = "wherry-registry"
THREADS = 4
DISTURBED = 30
"""Seconds that kubelet and kube-proxy may take, on a busy machine, to hear of a Pod that is gone."""
CONTAINER = (
    "crictl ps --quiet --name {} | while read -r id; do"
    " kill -9 $(crictl inspect --output go-template --template '{{{{.info.pid}}}}' $id); done"
)
VICTIMS = {
    "operator": CONTAINER.format("operator"),
    "agent": CONTAINER.format("agent"),
    "zygote": "kill -9 $(cat /run/wherry/zygote.pid)",
    "containerd": "kill -9 $(pidof containerd)",
    "kubelet": "kill -9 $(pidof kubelet)",
}
"""Shell commands on a node."""


@pytest.fixture
def asked(namespace: Namespace, client: Client) -> Namespace:
    """An app with a Pod on each node."""
    namespace.app("hello", artifact=namespace.push(HELLO), run="http", replicas=2)
    namespace.ready("hello")
    assert client.get("http://hello/")
    assert {pod["spec"]["nodeName"] for pod in namespace.pods("hello")} == set(namespace.cluster.workers())
    return namespace


def under_load(namespace: Namespace, disturb: Callable[[], None]) -> Load:
    """What becomes of requests while it is done, and until the app is as it should be."""
    load = Loading(namespace, "hello", threads=THREADS)
    disturb()
    namespace.ready("hello")
    return load.stop()


def replacements(namespace: Namespace) -> set[str]:
    return {pod["metadata"]["uid"] for pod in namespace.pods("hello")}


@pytest.mark.parametrize("victim", VICTIMS)
def test_no_request_is_lost_when_somebody_kills(asked: Namespace, victim: str) -> None:
    before = replacements(asked)

    def kill() -> None:
        for node in asked.cluster.workers():
            asked.cluster.on_node(node, "sh", "-c", VICTIMS[victim])
        everything_is_back(asked)

    result = under_load(asked, kill)
    assert result.failed == {}
    assert result.served > 50
    assert replacements(asked) == before


def everything_is_back(namespace: Namespace) -> None:
    """Nodes and our own Pods are ready, and another app can start on them."""
    cluster = namespace.cluster

    def ready() -> bool:
        ours = cluster.get("pods", namespace=SYSTEM, selector="app.kubernetes.io/name=wherry")
        return all(map(is_ready, [*ours["items"], *cluster.get("nodes")["items"]]))

    namespace.eventually("nodes and our Pods are ready", ready)
    namespace.app("another", artifact=namespace.push(HELLO), run="http", replicas=2)
    namespace.ready("another")


def is_ready(manifest: Manifest) -> bool:
    """A Pod or a node."""
    conditions = manifest["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def test_a_killed_shim_costs_its_own_requests_and_its_pods_come_back(asked: Namespace) -> None:
    def kill() -> None:
        asked.cluster.on_node(asked.cluster.workers()[0], "pkill", "-9", "-x", "wherry-host")
        asked.eventually("it starts again", lambda: restarts(asked) > 0)

    result = under_load(asked, kill)
    assert result.answers.keys() == {"200"}, "whoever was answered was answered well"
    assert result.disturbed < DISTURBED, result


def restarts(namespace: Namespace) -> int:
    return sum(each["restartCount"] for pod in namespace.pods("hello") for each in pod["status"]["containerStatuses"])


def test_a_node_that_restarts_brings_its_pods_back(asked: Namespace, client: Client) -> None:
    node = asked.cluster.workers()[0]
    before = replacements(asked)
    run("docker", "restart", node)
    everything_is_back(asked)
    asked.ready("hello")
    assert replacements(asked) == before
    asked.delete("pod", client.NAME)  # of those that are not started again
    assert Client(asked).get("http://hello/") == "Hello from /\n"


@contextmanager
def stopped(name: str) -> Iterator[None]:
    run("docker", "stop", name)
    try:
        yield
    finally:
        run("docker", "start", name)


def test_without_a_registry_what_runs_goes_on_and_what_is_cached_starts(asked: Namespace) -> None:
    with stopped(REGISTRY):

        def disturb() -> None:
            gone = asked.pods("hello")[0]["metadata"]
            asked.delete("pod", gone["name"])
            asked.eventually("another has come", lambda: gone["uid"] not in replacements(asked))

        result = under_load(asked, disturb)
        assert result.failed == {}
        asked.patch("hello", artifact=f"{asked.cluster.registry}/{asked.name}/hello:v2")
        asked.eventually("the status says so", lambda: asked.condition("hello", "Resolved")[1] == "RegistryUnavailable")
        assert asked.condition("hello", "Available")[0] == "True"
    registry_serves(asked.cluster)


def registry_serves(cluster: Cluster) -> None:
    """For the stories after this one; its address may be another."""
    run(ROOT / "cluster" / "up")
    assert cluster.kubectl("get", "endpointslice", "registry", "--namespace", "kube-public")
