"""At rest nothing is applied, and what others do to a rendered object is repaired: on a real API server."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.render.applied import apply, new_namespace, read
from tests.render.cases import Case, cases
from tests.support.apiserver import ApiServer
from wherry.spec.document import load
from wherry_operator.desired.drift import needs_apply, to_apply
from wherry_operator.manifest import Manifest

CASES = {case.name: case for case in cases()}
EDITS: Any = load((Path(__file__).parent / "edits.yaml").read_text())[0]
EACH = pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
JOB = next(each for each in CASES["job"].rendered() if each["kind"] == "Job")
ADDED = {"name": "mesh", "image": "registry.test/mesh:1"}


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def namespace(server: ApiServer, numbers: Iterator[int]) -> str:
    return new_namespace(server, f"drift-{next(numbers)}")


def applied(server: ApiServer, case: Case, namespace: str) -> tuple[Manifest, ...]:
    metadata = replace(case.app.metadata, namespace=namespace)
    wanted = replace(case, app=replace(case.app, metadata=metadata)).rendered()
    assert [apply(server, each, namespace).status for each in wanted] == [201] * len(wanted)
    return wanted


def drifted(server: ApiServer, wanted: tuple[Manifest, ...], namespace: str) -> list[Manifest]:
    return [each for each in wanted if needs_apply(each, read(server, each, namespace))]


@pytest.mark.peer
@EACH
def test_what_was_applied_needs_no_apply(case: Case, server: ApiServer, namespace: str) -> None:
    wanted = applied(server, case, namespace)
    assert drifted(server, wanted, namespace) == []


def _edited(server: ApiServer, edit: Any, namespace: str) -> None:
    """As a person does it."""
    words = shlex.split(edit.get("kubectl", ""))
    for form in ("merge", "json"):
        if form in edit:
            target = edit["of"].replace("hello-JOB", JOB["metadata"]["name"])
            words = ["patch", target, f"--type={form}", f"--patch={json.dumps(edit[form])}"]
    result = server.kubectl("--namespace", namespace, *words)
    assert result.returncode == 0, result.stderr
    assert "no change" not in result.stdout


@pytest.mark.peer
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit['case']}: {edit['reason']}")
def test_an_edit_by_someone_else_is_seen_and_repaired(edit: Any, server: ApiServer, namespace: str) -> None:
    wanted = applied(server, CASES[edit["case"]], namespace)
    _edited(server, edit, namespace)
    (changed,) = drifted(server, wanted, namespace)
    repaired = apply(server, to_apply(changed, read(server, changed, namespace)), namespace)
    assert repaired.status == 200, repaired.body["message"]
    assert drifted(server, wanted, namespace) == []


@pytest.mark.peer
def test_what_others_add_is_left_alone(server: ApiServer, namespace: str) -> None:
    wanted = applied(server, CASES["autoscaling"], namespace)
    added = {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 7, "template": {"spec": {"containers": [ADDED]}}}}
    result = server.kubectl("-n", namespace, "patch", "deployment/hello", f"--patch={json.dumps(added)}")
    assert result.returncode == 0, result.stderr
    assert drifted(server, wanted, namespace) == []


@pytest.mark.peer
def test_a_job_keeps_the_template_that_it_has(server: ApiServer, namespace: str) -> None:
    """As after an upgrade of the operator, which renders another one under the same name."""
    applied(server, CASES["job"], namespace)
    later = json.loads(json.dumps(JOB))
    later["metadata"]["annotations"]["wherry.dev/rendered"] = "later"
    later["spec"]["template"]["spec"]["enableServiceLinks"] = True
    observed = read(server, JOB, namespace)
    assert not needs_apply(later, observed)
    later["spec"]["ttlSecondsAfterFinished"] = 5
    assert needs_apply(later, observed)
    assert apply(server, later, namespace).status == 422
    assert apply(server, to_apply(later, observed), namespace).status == 200
    assert not needs_apply(later, read(server, JOB, namespace))


def test_a_job_that_was_made_and_removed_is_not_made_again() -> None:
    assert needs_apply(JOB, None, last_job="hello-00000000")
    assert not needs_apply(JOB, None, last_job=JOB["metadata"]["name"])


def test_any_other_object_is_made_again() -> None:
    service = CASES["http-by-its-exports"].rendered()[0]
    assert needs_apply(service, None, last_job="hello")


def _observed(**spec: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec}


SAME = [
    (
        "a quantity in another unit",
        {"limits": {"cpu": "1000m", "memory": 1024}},
        {"limits": {"cpu": "1", "memory": "1Ki"}},
    ),
    ("a limit of a volume", {"emptyDir": {"sizeLimit": "1024Mi"}}, {"emptyDir": {"sizeLimit": "1Gi"}}),
    ("what was added", {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}),
    ("a text of nothing", {"value": ""}, {}),
    ("an empty list", {"args": []}, {}),
    ("a null", {"a": None}, {"a": 1}),
    ("what is not written unless it is true", {"a": {"readOnly": False, "hostPort": 0}}, {}),
    ("a container more", {"containers": [{"name": "a"}]}, {"containers": [{"name": "b"}, {"name": "a", "image": "x"}]}),
]
OTHER = [
    ("another quantity", {"limits": {"cpu": "1"}}, {"limits": {"cpu": "2"}}),
    ("a quantity that is a text", {"args": ["1000m"]}, {"args": ["1"]}),
    ("a quantity that is none", {"limits": {"cpu": "much"}}, {"limits": {"cpu": "more"}}),
    ("a field less", {"a": {"b": 1}}, {"a": {}}),
    ("a switch that is off", {"automountServiceAccountToken": False}, {}),
    ("a number that is nothing", {"replicas": 0}, {}),
    ("a number in place of a switch", {"a": True}, {"a": 1}),
    ("another kind of value", {"a": {"b": 1}}, {"a": "b"}),
    ("a list in place of a mapping", {"a": {"b": 1}}, {"a": [1]}),
    ("a mapping in place of a list", {"a": [1]}, {"a": {"b": 1}}),
    ("an item more in a list of one manager", {"args": ["a"]}, {"args": ["a", "b"]}),
    ("an item less", {"containers": [{"name": "a"}, {"name": "b"}]}, {"containers": [{"name": "a"}]}),
    ("another order", {"env": [{"name": "a"}, {"name": "b"}]}, {"env": [{"name": "b"}, {"name": "a"}]}),
]


@pytest.mark.parametrize(("reason", "wanted", "found"), SAME, ids=[reason for reason, *_ in SAME])
def test_the_servers_own_way_to_write_is_no_drift(reason: str, wanted: Any, found: Any) -> None:
    assert not needs_apply(_observed(**wanted), _observed(**found))


@pytest.mark.parametrize(("reason", "wanted", "found"), OTHER, ids=[reason for reason, *_ in OTHER])
def test_a_difference_is_a_drift(reason: str, wanted: Any, found: Any) -> None:
    assert needs_apply(_observed(**wanted), _observed(**found))
