"""What is wrong, `kubectl describe` says: what it is, and where."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.cli.keys import key_pair
from tests.e2e.client import Client
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO, HOSTILE, command

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def says(namespace: Namespace, app: str, condition: str, reason: str) -> str:
    """The description, once a condition has that reason."""
    namespace.eventually(f"{condition} is {reason}", lambda: namespace.condition(app, condition)[1] == reason)
    return namespace.describe(app)


def test_a_digest_that_does_not_exist(namespace: Namespace) -> None:
    namespace.app("absent", artifact=f"{namespace.push(HELLO)}@sha256:{'0' * 64}")
    assert "not there" in says(namespace, "absent", "Resolved", "NotFound")


def test_a_signature_by_nobody_who_is_trusted(namespace: Namespace, tmp_path: Path) -> None:
    _, public = key_pair(tmp_path, "team")
    data = {"cosign.pub": base64.b64encode(public.read_bytes()).decode()}
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "team"}, "data": data})
    verify = {"keys": [{"secret": {"name": "team", "key": "cosign.pub"}}]}
    namespace.app("unsigned", artifact=namespace.push(HELLO), run="http", verify=verify)
    says(namespace, "unsigned", "Verified", "SignatureRefused")
    assert namespace.pods("unsigned") == []


def test_a_guest_that_traps_in_a_request(namespace: Namespace, client: Client) -> None:
    namespace.app("hostile", artifact=namespace.push(HOSTILE), run="http")
    namespace.ready("hostile")
    assert client.get("http://hostile/well-behaved")
    assert client.ask("http://hostile/unreachable").status == 500
    namespace.eventually("the app tells of it", lambda: "lastTrap" in namespace.get("wasmapp", "hostile")["status"])
    trap = namespace.get("wasmapp", "hostile")["status"]["lastTrap"]
    assert "unreachable" in trap["message"]
    pod = namespace.pods("hostile")[0]["metadata"]["name"]
    assert "GuestTrapped" in namespace.cluster.kubectl("describe", "pod", pod, "--namespace", namespace.name)
    assert client.ask("http://hostile/well-behaved").status == 200


def test_a_command_that_traps(namespace: Namespace) -> None:
    hostile = namespace.push(command("hostile"))
    namespace.app("trapping", artifact=hostile, run="job", args=["unreachable"], job={"backoffLimit": 0})
    assert "trap/unreachable" in says(namespace, "trapping", "Available", "JobFailed")
    ended = namespace.pods("trapping")[0]["status"]["containerStatuses"][0]["state"]["terminated"]
    assert ended["exitCode"] == 134
    assert "trap/unreachable" in ended["message"]


def test_a_guest_that_takes_more_memory_than_its_pod_has(namespace: Namespace) -> None:
    namespace.app(
        "greedy",
        artifact=namespace.push(command("hostile")),
        run="command",
        args=["touch"],
        limits={"memory": "1Gi"},
        resources={"requests": {"memory": "32Mi"}, "limits": {"memory": "48Mi"}},
    )
    assert "more memory than resources.limits.memory" in says(namespace, "greedy", "Available", "OutOfMemory")


def test_a_secret_that_is_missing(namespace: Namespace) -> None:
    variable = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "value"}}}
    namespace.app("waiting", artifact=namespace.push(HELLO), run="http", env=[variable])
    assert "Secret token" in says(namespace, "waiting", "Available", "MissingSource")
    value = {"value": base64.b64encode(b"x").decode()}
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "data": value})
    namespace.ready("waiting")
