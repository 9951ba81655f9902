"""What a node offers: without a shim, at the edge of kubectl, and with many Pods."""

from __future__ import annotations

import json

import pytest

from tests.e2e.client import Client, pod
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO, ROUTER

pytestmark = [pytest.mark.peer, pytest.mark.slow]

WAIT = "import signal; signal.sigwait([signal.SIGTERM])"
MANY, BESIDE = 100, 20


def test_the_same_app_runs_in_a_container_where_there_is_no_shim(namespace: Namespace, client: Client) -> None:
    control_plane = {"node-role.kubernetes.io/control-plane": ""}
    there = {"nodeSelector": control_plane, "tolerations": [{"operator": "Exists"}]}
    artifact = namespace.push(ROUTER)
    namespace.app("router", artifact=artifact, run="http")
    namespace.app("contained", artifact=artifact, run="http", executor="container", podTemplate={"spec": there})
    namespace.ready("contained")
    namespace.ready("router")
    assert "runtimeClassName" not in namespace.pods("contained")[0]["spec"]
    path = "/boats/wherry"
    assert client.get(f"http://contained{path}") == client.get(f"http://router{path}")


def test_kubectl_does_what_it_can_with_a_wasm_pod_and_says_why_it_cannot(namespace: Namespace) -> None:
    namespace.app("hello", artifact=namespace.push(HELLO), run="http")
    namespace.ready("hello")
    name = namespace.pods("hello")[0]["metadata"]["name"]
    here = ("--namespace", namespace.name)
    with pytest.raises(AssertionError, match="holds no program but its own"):
        namespace.cluster.kubectl("exec", name, *here, "--", "sh")
    forwarded = namespace.cluster.kubectl(
        "get", "--raw", f"/api/v1/namespaces/{namespace.name}/pods/{name}:8080/proxy/"
    )
    assert forwarded == "Hello from /\n"
    node = namespace.pods("hello")[0]["spec"]["nodeName"]
    stats = json.loads(namespace.cluster.kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary"))
    (own,) = [each for each in stats["pods"] if each["podRef"]["name"] == name]
    assert own["containers"][0]["memory"]["workingSetBytes"] > 0
    assert own["containers"][0]["cpu"]["usageCoreNanoSeconds"] > 0


def test_a_hundred_wasm_pods_and_twenty_containers_share_a_node(namespace: Namespace, client: Client) -> None:
    node = {"spec": {"nodeName": namespace.cluster.workers()[0]}}
    small = {"requests": {"cpu": "1m", "memory": "8Mi"}}
    waiting = pod(namespace, "waits", WAIT)["spec"]
    del waiting["restartPolicy"]
    template = {"metadata": {"labels": {"app": "waits"}}, "spec": waiting | node["spec"]}
    selector = {"matchLabels": {"app": "waits"}}
    containers = {"replicas": BESIDE, "selector": selector, "template": template}
    namespace.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "waits"}, "spec": containers})
    namespace.app("hello", artifact=namespace.push(HELLO), run="http", replicas=MANY, resources=small, podTemplate=node)
    namespace.ready("hello", within=420)
    namespace.cluster.kubectl("rollout", "status", "deployment/waits", "-n", namespace.name, "--timeout", "5m")
    assert client.get("http://hello/") == "Hello from /\n"
