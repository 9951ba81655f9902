"""The road: kubectl apply, and everything that follows from it on a real control plane."""

from __future__ import annotations

import time
from collections import Counter

from tests.support.apiserver import until
from tests.support.operators import Operator
from tests.support.places import Place, condition


def test_an_applied_app_is_pinned_made_and_becomes_ready(place: Place, operated: Operator) -> None:
    place.apply("hello")
    app = place.until_condition("hello", "Ready", "Ready")
    deployment = place.find("Deployment", "hello")
    assert deployment is not None
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"{place.host}/demo/hello@{app['status']['artifact']['digest']}"
    assert app["status"]["url"] == f"http://hello.{place.namespace}.svc"
    assert {each["type"]: each["status"] for each in app["status"]["conditions"]}["Ready"] == "True"


def test_a_drifted_child_is_repaired_within_two_seconds(place: Place, operated: Operator) -> None:
    place.apply("hello")
    place.until_condition("hello", "Ready", "Ready")
    place.kubectl("set", "image", "deployment/hello", "app=example.com/other:1")
    drifted = time.monotonic()
    repaired = place.until(
        "Deployment", "hello", lambda each: "demo/hello@" in each["spec"]["template"]["spec"]["containers"][0]["image"]
    )
    assert time.monotonic() - drifted < 2
    assert repaired["metadata"]["generation"] >= 3


def test_a_deleted_app_leaves_nothing(place: Place, operated: Operator) -> None:
    place.apply("hello")
    place.until_condition("hello", "Ready", "Ready")
    place.kubectl("delete", "wasmapp", "hello")
    assert until(lambda: not place.list("Deployment") and not place.list("Service") and not place.list("Pod"))


def test_an_edit_reaches_the_children_and_scaling_moves_no_tag(place: Place, operated: Operator) -> None:
    place.apply("hello")
    before = place.until_condition("hello", "Ready", "Ready")
    place.kubectl("scale", "wasmapp/hello", "--replicas=3")
    after = place.until("WasmApp", "hello", lambda app: app["status"].get("readyReplicas") == 3)
    assert after["status"]["artifact"] == before["status"]["artifact"]
    assert condition(after, "Ready")["status"] == "True"


def test_a_changed_kind_of_run_removes_the_old_kind(place: Place, operated: Operator) -> None:
    place.apply("hello")
    place.until_condition("hello", "Ready", "Ready")
    place.apply("hello", run="cron", cron={"schedule": "@daily"}, artifact=f"{place.host}/demo/hello:v2")
    place.until_condition("hello", "Available", "Scheduled")
    assert place.list("CronJob")
    assert until(lambda: not place.list("Deployment") and not place.list("Service"))


def test_an_app_is_written_no_more_than_it_must_be_and_at_rest_not_at_all(place: Place, operated: Operator) -> None:
    mark = place.plane.audit.mark()
    place.apply("hello")
    place.until_condition("hello", "Ready", "Ready")
    assert until(lambda: len(place.list("Event")) >= 2)
    written = wrote(place, mark)
    mark = place.plane.audit.mark()
    operated.kill()
    operated.restart()
    operated.wait_until_it_leads()
    assert until(lambda: operated.metric("wherry_operator_passes_total") >= 1)
    assert wrote(place, mark) == Counter()
    assert written["deployments.apps"] == written["services"] == 1
    assert written["wasmapps.wherry.dev/status"] <= 3
    assert written["events.events.k8s.io"] == 2
    assert written.keys() == {"deployments.apps", "services", "wasmapps.wherry.dev/status", "events.events.k8s.io"}


def wrote(place: Place, mark: int) -> Counter[str]:
    """What operators wrote in the place, by resource; their Secret, which is made once, apart."""
    asked = place.plane.asked(mark, agent="wherry-operator/")
    mine = [each for each in asked if each.writes and each.namespace == place.namespace]
    return Counter(each.resource for each in mine if each.resource != "secrets")


def test_a_job_that_removes_itself_runs_once_and_again_when_asked(place: Place, operated: Operator) -> None:
    mark = place.plane.audit.mark()
    place.apply("hello", run="job", job={"ttlSecondsAfterFinished": 0}, artifact=f"{place.host}/demo/hello:v2")
    app = place.until("WasmApp", "hello", lambda each: "lastJob" in each.get("status", {}))
    assert until(lambda: not place.list("Job"))
    operated.kill()
    operated.restart()
    operated.wait_until_it_leads()
    assert until(lambda: operated.metric("wherry_operator_passes_total") >= 1)
    assert wrote(place, mark)["jobs.batch"] == 1
    place.kubectl("annotate", "wasmapp/hello", "wherry.dev/run-again=2")
    again = place.until("WasmApp", "hello", lambda each: each["status"]["lastJob"] != app["status"]["lastJob"])
    assert again["status"]["lastJob"].startswith("hello-")
    assert until(lambda: not place.list("Job"))
    assert wrote(place, mark)["jobs.batch"] == 2
