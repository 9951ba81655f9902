"""What is allowed and probably not meant, and what is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.parse import read
from wherry.spec.status import ArtifactStatus
from wherry_operator.status.warnings import warnings

SERVES = ArtifactStatus(exports=("wasi:http/incoming-handler@0.2.3",))
RUNS = ArtifactStatus(exports=("wasi:cli/run@0.2.3",))
SMALL = {"resources": {"limits": {"memory": "512Mi"}}}


@dataclass(frozen=True)
class Row:
    reason: str
    spec: dict[str, Any]
    warned: str = ""
    artifact: ArtifactStatus | None = None


def _app(spec: dict[str, Any]) -> WasmApp:
    head = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "a"}}
    return read(head | {"spec": {"artifact": "ghcr.io/acme/hello:v2"} | spec}, "app")


def _container(**fields: Any) -> dict[str, Any]:
    return {"podTemplate": {"spec": {"containers": [{"name": "proxy"}, {"name": "app", **fields}]}}}


ROWS = [
    Row("nothing special", {}),
    Row("no limit of the Pod, no warning", {"run": "http", "limits": {"memory": "4Gi"}}),
    Row("16 instances of 128Mi in 512Mi", {"run": "http", **SMALL}, "is 2Gi, the Pod's memory limit 512Mi"),
    Row("the artifact says that it serves", SMALL, "is 2Gi", SERVES),
    Row("the artifact says that it runs once", SMALL, artifact=RUNS),
    Row("nobody knows yet whether it serves", SMALL),
    Row("a command has one instance", {"run": "command", **SMALL}, artifact=SERVES),
    Row("just enough", {"run": "http", "limits": {"concurrency": 4}, **SMALL}),
    Row(
        "the template says less", {"run": "http", **_container(resources={"limits": {"memory": "64Mi"}})}, "limit 64Mi"
    ),
    Row("the template says more", {"run": "http", **SMALL, **_container(resources={"limits": {"memory": "2Gi"}})}),
    Row("the template says nothing of it", {"run": "http", **SMALL, **_container()}, "limit 512Mi"),
    Row("a limit that Kubernetes will refuse", {"run": "http", **_container(resources={"limits": {"memory": "much"}})}),
    Row(
        "a part of nothing",
        {"autoscaling": {"max": 3, "cpu": 70}, "resources": {"requests": {"memory": "1Mi"}}},
        "set resources.requests.cpu",
    ),
    Row("a part of what is requested by default", {"autoscaling": {"max": 3, "cpu": 70}}),
    Row(
        "Kubernetes requests what is the limit",
        {"autoscaling": {"max": 3, "cpu": 70}, "resources": {"limits": {"cpu": "1"}}},
    ),
    Row("by memory", {"autoscaling": {"max": 3, "memory": 70}, "resources": {}}),
    Row(
        "a rollback of another artifact",
        {"rollback": {"digest": "sha256:" + "1" * 64, "artifact": "ghcr.io/acme/hello:v1"}},
        "spec.rollback was written for ghcr.io/acme/hello:v1",
    ),
    Row("a rollback in force", {"rollback": {"digest": "sha256:" + "1" * 64, "artifact": "ghcr.io/acme/hello:v2"}}),
    Row("a Job is not rolled out", {"run": "job", "rollout": {"automaticRollback": True}}, "no effect with run: job"),
    Row("a server is", {"run": "http", "rollout": {"automaticRollback": True}}),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.reason)
def test_a_spec_is_warned_of_in_a_sentence_with_its_cure(row: Row) -> None:
    found = warnings(_app(row.spec), row.artifact)
    assert len(found) == bool(row.warned)
    assert row.warned in "".join(found)
