"""ConfigMaps and Secrets, as variables and as files."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO, command

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def config(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def test_a_changed_config_map_rolls_out(namespace: Namespace, client: Client) -> None:
    namespace.apply(config(GREETING="Ahoy"))
    source = [{"configMapRef": {"name": "settings"}}]
    namespace.app("hello", artifact=namespace.push(HELLO), run="http", envFrom=source)
    namespace.ready("hello")
    assert client.get("http://hello/") == "Ahoy from /\n"
    namespace.apply(config(GREETING="Moin"))
    namespace.eventually("the change is there", lambda: client.get("http://hello/") == "Moin from /\n")


def test_a_secret_is_a_file_that_the_guest_may_read(namespace: Namespace) -> None:
    metadata = {"name": "token"}
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": "a secret"}})
    volume = {"name": "token", "secret": {"secretName": "token"}}
    namespace.app(
        "reads",
        artifact=namespace.push(command("files")),
        run="job",
        args=["read", "/token/token"],
        capabilities={"files": [{"name": "token", "mountPath": "/token"}]},
        podTemplate={"spec": {"volumes": [volume]}},
    )
    namespace.eventually("it is complete", lambda: namespace.condition("reads", "Available")[1] == "JobComplete")
    assert "a secret" in namespace.logs("reads")
