"""Which objects go: those that the app owns and does not want, and never another one's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.render.test_render import COMMAND, rendered
from tests.spec.apps import document
from wherry.spec.parse import read
from wherry_operator.desired.kinds import KINDS
from wherry_operator.desired.prune import superfluous
from wherry_operator.manifest import Identity, Manifest

OWNER = "8b1f6f7e-0000-4000-8000-000000000000"


def objects(spec: Any, artifact: Any = None) -> list[Manifest]:
    return [*rendered(spec, artifact, {"owner": OWNER}).values()]


def pruned(spec: Any, wanted: list[Manifest], observed: list[Manifest]) -> list[str]:
    app = read(document(spec), "app")
    return [f"{each.kind}/{each.name}" for each in superfluous(app, OWNER, wanted, observed)]


def job(name: str, ended: str = "", created: str = "", **metadata: Any) -> Manifest:
    owner = {"uid": OWNER, "controller": True}
    meta = {"name": name, "ownerReferences": [owner], "creationTimestamp": created, **metadata}
    status = {"conditions": [{"type": ended, "status": "True"}]} if ended else {}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "status": status}


FULL = {
    "autoscaling": {"max": 2, "cpu": 80},
    "disruption": {"minAvailable": 1},
    "expose": {"gateway": {"parentRefs": [{"name": "g"}]}},
}


def test_what_is_wanted_stays() -> None:
    assert pruned(FULL, objects(FULL), objects(FULL)) == []


def test_an_option_that_is_gone_takes_its_object_along() -> None:
    assert pruned({}, objects({}), objects(FULL)) == [
        "HorizontalPodAutoscaler/hello",
        "HTTPRoute/hello",
        "PodDisruptionBudget/hello",
    ]


@pytest.mark.parametrize(
    ("spec", "artifact"),
    [
        ({"run": "job"}, COMMAND),
        ({"run": "cron", "cron": {"schedule": "@daily"}}, COMMAND),
        ({"scope": "everyNode"}, {}),
    ],
)
def test_another_way_to_run_removes_the_old_one(spec: Any, artifact: Any) -> None:
    gone = pruned(spec, objects(spec, artifact), objects({}))
    assert "Deployment/hello" in gone
    assert ("Service/hello" in gone) is (artifact == COMMAND)
    back = pruned({}, objects({}), objects(spec, artifact))
    assert [name.partition("/")[0] for name in back] == [objects(spec, artifact)[-1]["kind"]]


@pytest.mark.parametrize(
    "metadata",
    [
        {"ownerReferences": []},
        {"ownerReferences": None},
        {"ownerReferences": [{"uid": "another", "controller": True}]},
        {"ownerReferences": [{"uid": OWNER}]},
        {"deletionTimestamp": "2026-01-31T12:00:00Z"},
    ],
    ids=["nobody's", "never anybody's", "another app's of the same name", "not controlled", "going already"],
)
def test_what_the_app_does_not_own_is_never_removed(metadata: Any) -> None:
    assert pruned({}, [], [job("hello-1", **metadata)]) == []


def test_what_is_never_rendered_is_never_removed() -> None:
    assert pruned({}, [], [{**job("hello-1"), "kind": "Event", "apiVersion": "v1"}]) == []


def test_as_many_finished_jobs_stay_as_the_app_says_the_last_ones() -> None:
    spec = {"run": "job", "rollout": {"historyLimit": 2}}
    wanted = objects(spec, COMMAND)
    ended = [job(f"hello-{day}", ("Complete", "Failed")[day % 2], f"2026-01-0{day}T00:00:00Z") for day in range(1, 6)]
    assert pruned(spec, wanted, [*wanted, *ended]) == ["Job/hello-1", "Job/hello-2", "Job/hello-3"]


def test_a_job_that_another_replaces_before_its_end_goes() -> None:
    spec = {"run": "job"}
    suspended = job("hello-2", "Suspended")
    assert pruned(spec, objects(spec, COMMAND), [job("hello-1"), suspended]) == ["Job/hello-1", "Job/hello-2"]


def test_an_app_that_is_a_job_no_more_keeps_none() -> None:
    assert pruned({}, objects({}), [job("hello-1", "Complete")]) == ["Job/hello-1"]


def test_every_kind_that_is_rendered_can_be_removed() -> None:
    owned = {"name": "a", "namespace": "b", "ownerReferences": [{"uid": OWNER, "controller": True}]}
    found = [{"apiVersion": kind.api_version, "kind": kind.kind, "metadata": owned} for kind in KINDS]
    app = read(document({}), "app")
    assert set(superfluous(app, OWNER, [], found)) == {Identity(*kind, "b", "a") for kind in KINDS}
