"""The chart as the cluster's people use it: newer versions, and none at all."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.client import Client, Loading
from tests.e2e.cluster import SYSTEM, Cluster, Manifest, deploy, run
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO

pytestmark = [pytest.mark.peer, pytest.mark.slow]

TREE = "wherry.dev/installed"
NEWER = """
FROM {}
RUN echo '# another version' >> $(python -c 'import wherry_shim; print(wherry_shim.__file__)')
"""
UNINSTALL = "helm uninstall wherry --namespace wherry-system"
SNAPSHOT = (
    "find /etc /opt /usr/local /var/lib/wherry /run/wherry -type f -printf '%p %m %U %G %T@ ' -exec sha256sum {} ';'"
    " -o -printf '%p %m %l\\n' 2>/dev/null; true"
)
"""Of a node: every file that an installer may touch, with mode, owner, time and digest."""


@pytest.fixture
def put_back(cluster: Cluster) -> Iterator[None]:
    """The chart of this tree again, for the stories that follow."""
    yield
    deploy()


def trees(cluster: Cluster) -> set[str]:
    """What the nodes run."""
    nodes = cluster.get("nodes", selector="wherry.dev/runtime=ready")["items"]
    return {node["metadata"]["annotations"][TREE] for node in nodes}


def release(cluster: Cluster) -> Manifest:
    """What helm knows of ours."""
    found: Manifest = json.loads(cluster.helm("status", "wherry", "--namespace", SYSTEM, "--output", "json"))
    return found


def newer_agent(cluster: Cluster) -> str:
    """An image of the agent whose shim differs from the one that is installed."""
    name = f"{cluster.image('agent')}-newer"
    text = NEWER.format(cluster.image("agent"))
    subprocess.run(["docker", "build", "--quiet", "--tag", name, "-"], input=text, text=True, check=True)
    run("docker", "push", "--quiet", name)
    return name


@pytest.mark.usefixtures("put_back")
def test_a_new_shim_arrives_without_a_failed_request(namespace: Namespace, client: Client) -> None:
    cluster = namespace.cluster
    namespace.app("hello", artifact=namespace.push(HELLO), run="http", replicas=2)
    namespace.ready("hello")
    assert client.get("http://hello/")
    before, uids = trees(cluster), {pod["metadata"]["uid"] for pod in namespace.pods("hello")}
    load = Loading(namespace, "hello")
    deploy(["--set", f"agent.image={newer_agent(cluster)}"])
    namespace.eventually("every node has it", lambda: len(trees(cluster)) == 1 and trees(cluster) != before)
    result = load.stop()
    assert result.failed == {}
    assert result.served > 50
    assert {pod["metadata"]["uid"] for pod in namespace.pods("hello")} == uids
    namespace.cluster.kubectl("rollout", "restart", "deployment/hello", "--namespace", namespace.name)
    namespace.ready("hello")


@pytest.mark.usefixtures("put_back")
def test_uninstalling_leaves_nodes_as_they_were_and_refuses_while_wasm_runs(namespace: Namespace) -> None:
    cluster = namespace.cluster
    nodes = cluster.workers()
    deploy(["--set", "crds.keep=false"])
    installed = release(cluster)["version"]
    namespace.app("hello", artifact=namespace.push(HELLO), run="http")
    namespace.ready("hello")
    with pytest.raises(AssertionError):
        cluster.helm(*shlex.split(UNINSTALL)[1:], "--timeout", "2m")
    said = cluster.kubectl("logs", "job/wherry-uninstall", "--namespace", SYSTEM)
    assert f"Wasm pods run: {namespace.name}/hello" in said
    assert namespace.is_ready("hello")

    cluster.helm("rollback", "wherry", str(installed), "--namespace", SYSTEM, "--wait")
    assert release(cluster)["info"]["status"] == "deployed"
    namespace.delete("wasmapp", "hello")
    namespace.eventually("its Pods are on their way out", lambda: not namespace.pods("hello"))
    cluster.helm(*shlex.split(UNINSTALL)[1:], "--wait", "--timeout", "5m")
    assert "wherry" not in cluster.kubectl("get", "crds,runtimeclasses,clusterroles,clusterrolebindings", "-o", "name")
    assert cluster.workers() == []
    for node in nodes:
        left = cluster.on_node(node, "sh", "-c", SNAPSHOT)
        assert "wherry" not in left
        assert "wherry" not in cluster.on_node(node, "systemctl", "list-units", "--all", "--no-legend")
