"""The whole road on a real cluster: an artifact in a real registry, pulled by a real kubelet, answers HTTP."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.process import WHERRY
from tests.node.kind import KindNode
from tests.node.test_kind import HELLO, HELLO_WASM, in_a_pod, node, succeeded
from tests.support import contract
from wherry.oci.digest import digest_of

__all__ = ["node"]
pytestmark = [pytest.mark.peer, pytest.mark.slow]

REGISTRY = "registry.test"


@pytest.fixture(scope="module")
def registry(node: KindNode) -> Iterator[str]:
    """Its address from here; the node calls it `registry.test`, by certs.d, as docs of containerd have it."""
    command = ["docker", "run", "--detach", "--network", "kind", "--publish", "127.0.0.1::5000", "registry:3"]
    container = said(*command)
    try:
        inside = said("docker", "inspect", "--format", "{{.NetworkSettings.Networks.kind.IPAddress}}", container)
        folder = f"/etc/containerd/certs.d/{REGISTRY}"
        text = f'server = "http://{inside}:5000"\n'
        node.exec("sh", "-c", f"mkdir -p {folder} && printf '%s' '{text}' > {folder}/hosts.toml")
        yield said("docker", "port", container, "5000").splitlines()[0].replace("127.0.0.1", "localhost")
    finally:
        said("docker", "rm", "--force", "--volumes", container)
        node.exec("rm", "-r", f"/etc/containerd/certs.d/{REGISTRY}")


@pytest.fixture(scope="module")
def installed(node: KindNode) -> Iterator[KindNode]:
    succeeded(in_a_pod(node, f"wherry-node install --root /host --probe-image {HELLO}"))
    yield node
    succeeded(in_a_pod(node, "wherry-node uninstall --root /host --force"))


@pytest.fixture(scope="module")
def pod(installed: KindNode, registry: str) -> Iterator[dict[str, Any]]:
    """tests/contract/pod.yaml, with the digests of what was pushed, ready."""
    pushed = subprocess.run(
        [WHERRY, "push", "--json", HELLO_WASM, f"{registry}/hello:v1"], check=True, capture_output=True, text=True
    )
    document = contract.pod(
        f"{REGISTRY}/hello@{json.loads(pushed.stdout)['digest']}", digest_of(HELLO_WASM.read_bytes())
    )
    document["spec"]["nodeName"] = installed.name
    installed.apply(document)
    installed.kubectl("wait", "--for=condition=Ready", "--timeout=240s", "pod/hello")
    yield document
    installed.kubectl("delete", "pod", "hello", "--wait", "--timeout=120s")


def test_it_answers_http_through_the_cluster(installed: KindNode, pod: dict[str, Any]) -> None:
    answer = installed.kubectl("get", "--raw", "/api/v1/namespaces/default/pods/hello:8080/proxy/")
    assert answer.startswith("Ahoy")


def test_its_log_is_kubectls(installed: KindNode, pod: dict[str, Any]) -> None:
    assert "serving on http://" in installed.kubectl("logs", "hello")


def test_what_the_kubelet_and_containerd_gave_the_shim_is_the_contract(
    installed: KindNode, pod: dict[str, Any]
) -> None:
    """With an environment variable WRITE_CONTRACT it is written anew."""
    found = installed.kubectl("get", "pod", "hello", "-o", "jsonpath={.status.containerStatuses[0].containerID}")
    bundle = f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{found.rpartition('/')[2]}"
    captured = json.loads(installed.exec("cat", f"{bundle}/config.json"))
    contract.check("config-kubelet-2.3.json", captured)


def said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
