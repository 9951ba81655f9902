"""Wasm and ordinary containers in one Pod, and in Pods that call each other."""

from __future__ import annotations

import pytest

from tests.e2e.client import Client, phase, pod
from tests.e2e.namespace import APP, Namespace
from tests.e2e.programs import HELLO, OUTBOUND, ROUTER

pytestmark = [pytest.mark.peer, pytest.mark.slow]

ASK = "import time, urllib.request as r; print(r.urlopen('http://127.0.0.1:{}/').read().decode(), flush=True); {}"
SERVE = "from http.server import *; HTTPServer(('', 8000), SimpleHTTPRequestHandler).serve_forever()"


def test_an_app_has_an_ordinary_container_beside_it(namespace: Namespace) -> None:
    python = ["python", "-c", ASK.format(8080, "time.sleep(3600)")]
    beside = {"name": "asks", "image": namespace.cluster.image("runner"), "command": python}
    namespace.app("hello", artifact=namespace.push(HELLO), run="http", containers=[beside])
    namespace.ready("hello")
    said = namespace.eventually("it has asked", lambda: logs_of(namespace, namespace_pod(namespace), "asks"))
    assert said.strip() == "Hello from /"


def namespace_pod(namespace: Namespace) -> str:
    name: str = namespace.pods("hello")[0]["metadata"]["name"]
    return name


def logs_of(namespace: Namespace, name: str, container: str) -> str:
    return namespace.cluster.kubectl("logs", name, "-c", container, "-n", namespace.name, check=False)


def test_an_ordinary_pod_has_wasm_beside_its_container(namespace: Namespace) -> None:
    """Nothing of ours but the RuntimeClass and an artifact: no WasmApp, no annotation."""
    asking = pod(namespace, "ordinary", "import time; time.sleep(2); " + ASK.format(8080, "pass"))
    container = {"name": "router", "image": namespace.push(ROUTER), "command": ["/app.wasm"], "restartPolicy": "Always"}
    spec = asking["spec"] | {"runtimeClassName": "wherry", "initContainers": [container]}
    namespace.apply(asking | {"spec": spec})
    namespace.eventually("it ends", lambda: phase(namespace, "ordinary") == "Succeeded")
    assert logs_of(namespace, "ordinary", "python").strip()


def test_wasm_and_a_container_on_two_nodes_call_each_other(namespace: Namespace, client: Client) -> None:
    here, there = namespace.cluster.workers()
    serving = pod(namespace, "shelf", SERVE)
    serving["metadata"]["labels"] = {"app": "shelf"}
    serving["spec"]["nodeName"] = there
    ports = {"selector": {"app": "shelf"}, "ports": [{"port": 80, "targetPort": 8000}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shelf"}, "spec": ports}
    namespace.apply(serving, service)
    host = f"shelf.{namespace.name}.svc.cluster.local"
    namespace.app(
        "outbound",
        artifact=namespace.push(OUTBOUND),
        run="http",
        capabilities={"outboundHTTP": [f"http://{host}"]},
        podTemplate={"spec": {"nodeName": here}},
    )
    namespace.ready("outbound")
    assert "Directory listing" in client.get(f"http://outbound/http://{host}/")
    refused = client.ask("http://outbound/http://kubernetes.default.svc.cluster.local/")
    assert refused.status == 502
    assert {each["spec"]["nodeName"] for each in namespace.listed("pods", f"{APP}=outbound")} == {here}
