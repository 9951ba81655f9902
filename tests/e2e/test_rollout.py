"""What is changed arrives while nobody notices; what is bad does not."""

from __future__ import annotations

import pytest

from tests.e2e.client import Client, Loading
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO, wat

TOO_LARGE = '(module (memory (export "memory") 1024) (func (export "_start")))'
"""Wants 64 MiB before it begins."""

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_a_new_env_and_a_new_tag_roll_out_without_a_failed_request(namespace: Namespace, client: Client) -> None:
    namespace.app("hello", artifact=namespace.push(HELLO, "v1"), run="http", replicas=2)
    namespace.ready("hello")
    assert client.get("http://hello/") == "Hello from /\n"
    load = Loading(namespace, "hello")

    namespace.patch("hello", env=[{"name": "GREETING", "value": "Ahoy"}])
    namespace.ready("hello")
    first = digest(namespace)
    assert client.get("http://hello/") == "Ahoy from /\n"

    namespace.patch("hello", artifact=namespace.push(HELLO, "v2", "--annotation", "version=2"))
    namespace.ready("hello")
    assert digest(namespace) != first

    result = load.stop()
    assert result.failed == {}
    assert result.served > 200


def digest(namespace: Namespace) -> str:
    """What runs, as the Pods have it and the status says."""
    runs = status_digest(namespace)
    assert {pod["spec"]["containers"][0]["image"].partition("@")[2] for pod in namespace.pods("hello")} == {runs}
    return runs


def status_digest(namespace: Namespace) -> str:
    found: str = namespace.get("wasmapp", "hello")["status"]["artifact"]["digest"]
    return found


def test_a_bad_version_is_rolled_back_by_itself(namespace: Namespace, client: Client) -> None:
    rollout = {"automaticRollback": True, "progressDeadline": "20s"}
    namespace.app("hello", artifact=namespace.push(HELLO), run="http", limits={"memory": "32Mi"}, rollout=rollout)
    namespace.ready("hello")
    before = digest(namespace)
    load = Loading(namespace, "hello")
    namespace.patch("hello", artifact=namespace.push(wat(TOO_LARGE), "bad"))
    namespace.eventually("the bad one is put away", lambda: namespace.get("wasmapp", "hello")["status"].get("rejected"))
    namespace.eventually("the good one is meant", lambda: status_digest(namespace) == before)
    namespace.eventually("it runs alone", lambda: len(namespace.pods("hello")) == 1)
    said = ("False", "RolledBack")
    namespace.eventually("it says so", lambda: namespace.condition("hello", "Progressing") == said)
    assert digest(namespace) == before
    assert load.stop().failed == {}
    assert client.get("http://hello/") == "Hello from /\n"
