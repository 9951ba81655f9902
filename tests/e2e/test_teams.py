"""Two teams on one node: what one may pull, the other does not get because it is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest

from tests.cli.process import WHERRY
from tests.e2e.cluster import Cluster, deploy, run
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO

pytestmark = [pytest.mark.peer, pytest.mark.slow]

NAME, PORT = "wherry-private-registry", 5002
HOST = f"localhost:{PORT}"
USER, PASSWORD = "owner", "a password of a test"
STATUS = "{.status.containerStatuses[0].state.waiting.reason}"


@dataclass(frozen=True)
class Private:
    """An artifact that only who knows the password may pull."""

    reference: str
    login: dict[str, object]


@pytest.fixture(scope="module")
def private(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    """A registry with a password, known to nodes and to the operator."""
    folder = tmp_path_factory.mktemp("registry")
    address = started(folder)
    for node in cluster.workers():
        place = f"/etc/containerd/certs.d/{HOST}"
        hosts = f'[host."http://{NAME}:5000"]\n'
        cluster.on_node(node, "sh", "-c", f"mkdir -p {place} && printf '%s' '{hosts}' > {place}/hosts.toml")
    entry = {"endpoint": f"http://{address}:5000", "plainHTTP": True, "allowPrivate": True}
    deploy(["--set-json", f"registries.{HOST}={json.dumps(entry)}"])
    yield Private(pushed(), login())
    run("docker", "rm", "--force", "--volumes", NAME)
    deploy()


def started(folder: Path) -> str:
    """The registry's address in kind's network."""
    users = folder / "htpasswd"
    users.write_text(f"{USER}:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n")
    access = {"REGISTRY_AUTH": "htpasswd", "REGISTRY_AUTH_HTPASSWD_REALM": "a", "REGISTRY_AUTH_HTPASSWD_PATH": "/users"}
    options = [word for name, value in access.items() for word in ("--env", f"{name}={value}")]
    run("docker", "rm", "--force", NAME, check=False)
    run("docker", "create", "--name", NAME, "--publish", f"127.0.0.1:{PORT}:5000", *options, "registry:3")
    run("docker", "cp", users, f"{NAME}:/users")
    run("docker", "start", NAME)
    run("docker", "network", "connect", "kind", NAME)
    shown = "{{.NetworkSettings.Networks.kind.IPAddress}}"
    return run("docker", "container", "inspect", "--format", shown, NAME).strip()


def pushed() -> str:
    """By digest, as a thief would name it."""
    options = ("--json", "--username", USER, "--password-stdin")
    said = run(WHERRY, "push", *options, HELLO, f"{HOST}/owner/secret:v1", stdin=PASSWORD)
    return f"{HOST}/owner/secret@{json.loads(said)['digest']}"


def login() -> dict[str, object]:
    """A Secret."""
    config = json.dumps({"auths": {HOST: {"username": USER, "password": PASSWORD}}})
    kind = {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": config}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, **kind}


def test_a_private_artifact_that_a_node_has_is_nobody_elses(namespace: Namespace, private: Private) -> None:
    there = {"nodeName": namespace.cluster.workers()[0]}
    namespace.apply(private.login)
    pull = {"secrets": [{"name": "login"}]}
    namespace.app("ours", artifact=private.reference, run="http", pull=pull, podTemplate={"spec": there})
    namespace.ready("ours")

    namespace.app("theirs", artifact=private.reference, run="http", podTemplate={"spec": there})
    namespace.eventually("it is refused", lambda: namespace.condition("theirs", "Resolved")[1] == "Unauthorized")
    assert namespace.pods("theirs") == []

    container = {"name": "app", "image": private.reference, "command": ["/app.wasm"], "imagePullPolicy": "IfNotPresent"}
    spec = {"runtimeClassName": "wherry", "containers": [container], **there}
    namespace.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "around"}, "spec": spec})
    said = namespace.eventually("the kubelet refuses", lambda: waits(namespace, "around"))
    assert said in {"ErrImagePull", "ImagePullBackOff"}


def waits(namespace: Namespace, name: str) -> str:
    """Why a Pod's container waits, unless it is being made."""
    here = ("--namespace", namespace.name, "--output", f"jsonpath={STATUS}")
    reason = namespace.cluster.kubectl("get", "pod", name, *here)
    return "" if reason == "ContainerCreating" else reason
