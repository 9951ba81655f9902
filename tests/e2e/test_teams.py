"""Two teams on one node: what one may pull, the other does not get because it is there."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.cli.process import WHERRY
from tests.e2e.cluster import run
from tests.e2e.namespace import Namespace
from tests.e2e.private import HOST, PASSWORD, USER
from tests.e2e.programs import HELLO

pytestmark = [pytest.mark.peer, pytest.mark.slow]

STATUS = "{.status.containerStatuses[0].state.waiting.reason}"


@dataclass(frozen=True)
class Private:
    """An artifact that only who knows the password may pull."""

    reference: str
    login: dict[str, object]


@pytest.fixture
def private(private_host: str) -> Private:
    return Private(pushed(), login())


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
