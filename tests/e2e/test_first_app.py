"""From an artifact to an answer, and to nothing again."""

from __future__ import annotations

import pytest

from tests.architecture.tree import ROOT
from tests.e2e.client import Client
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import APP, Namespace

pytestmark = [pytest.mark.peer, pytest.mark.slow]

HELLO = ROOT / "examples" / "01-hello" / "hello.wasm"
CHILDREN = "deployments,replicasets,pods,services,endpointslices,horizontalpodautoscalers,poddisruptionbudgets,jobs"


def test_an_app_is_pushed_applied_asked_scaled_and_deleted(namespace: Namespace, client: Client) -> None:
    namespace.app("hello", artifact=namespace.push(HELLO), run="http")
    namespace.ready("hello")
    assert client.get("http://hello/") == "Hello from /\n"
    assert "serving on" in namespace.logs("hello")

    namespace.cluster.kubectl("scale", "wasmapp", "hello", "--replicas", "5", "-n", namespace.name)
    namespace.eventually("five are ready", lambda: namespace.get("wasmapp", "hello")["status"]["readyReplicas"] == 5)
    addresses = {pod["status"]["podIP"] for pod in namespace.pods("hello")}
    assert len(addresses) == 5
    assert {client.ask(f"http://{address}:8080/").status for address in addresses} == {200}
    assert {pod["spec"]["nodeName"] for pod in namespace.pods("hello")} <= set(namespace.cluster.workers())

    uids = {pod["metadata"]["uid"] for pod in namespace.pods("hello")}
    namespace.delete("wasmapp", "hello")
    namespace.eventually("its children are gone", lambda: not namespace.listed(CHILDREN, f"{APP}=hello"))
    assert not uids & left_on_nodes(namespace.cluster)


def left_on_nodes(cluster: Cluster) -> set[str]:
    """Pods of which the runtime has anything on a node."""
    listed = [cluster.on_node(node, "ls", "/run/wherry") for node in cluster.workers()]
    return {name for each in listed for name in each.split()}


def test_the_nodes_say_which_version_they_run(cluster: Cluster) -> None:
    nodes = cluster.get("nodes", selector="wherry.dev/runtime=ready")["items"]
    versions = {node["metadata"]["annotations"]["wherry.dev/installed"] for node in nodes}
    assert len(nodes) == 2
    assert len(versions) == 1


def test_helms_own_test_runs_wasm_beside_python(cluster: Cluster) -> None:
    said = cluster.helm("test", "wherry", "--namespace", "wherry-system", "--logs")
    assert "Phase:          Succeeded" in said
    assert "it works" in said
