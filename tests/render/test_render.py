"""What follows from what: the rules of rendering, each by the smallest app that shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.cases import artifact_of, context_of
from tests.render.test_strategic import PATCHES
from tests.spec.apps import document
from tests.spec.strategies import APPS, PLAIN
from wherry.errors import InvalidApp, InvalidReference
from wherry.plan import annotation
from wherry.spec.document import load
from wherry.spec.parse import read
from wherry_operator import labels
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render
from wherry_operator.manifest import Manifest

REFUSED: Any = load((Path(__file__).parent / "refused.yaml").read_text())[0]
COMMAND = {"exports": ["wasi:cli/run@0.2.3"]}
RUNNER = {"runnerImage": "registry.test/wherry-runner:0.1.0"}


def rendered(spec: Any, artifact: Any = None, context: Any = None, **metadata: Any) -> dict[str, Manifest]:
    """The objects by their kinds."""
    whole = document(spec)
    whole["metadata"] |= metadata
    app = read(whole, "hello")
    objects = render(app, artifact_of(app, artifact or {}), context_of(context or {}))
    return {each["kind"]: each for each in objects}


def pods(objects: dict[str, Manifest]) -> Any:
    """The specification of the Pods."""
    (workload,) = (each for each in objects.values() if "template" in each["spec"])
    return workload["spec"]["template"]["spec"]


def plan(objects: dict[str, Manifest]) -> annotation.Annotation:
    (workload,) = (each for each in objects.values() if "template" in each["spec"])
    return annotation.parse(workload["spec"]["template"]["metadata"]["annotations"]["plan.wherry.dev/app"])


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["reason"])
def test_what_cannot_be_rendered_is_refused_in_a_sentence_for_each_fault(row: Any) -> None:
    with pytest.raises(InvalidApp) as caught:
        rendered(row["spec"], row.get("artifact"), row.get("context"))
    assert str(caught.value) == "\n".join(f"hello: {line}" for line in row["said"].splitlines())


@pytest.mark.parametrize("run", ["http", "command"])
def test_a_deployment_keeps_replicas_unset_when_autoscaling(run: str) -> None:
    artifact = {"kind": "module", "exports": ["_start"]}
    objects = rendered({"run": run, "autoscaling": {"max": 3, "cpu": 80}}, artifact)
    assert "replicas" not in objects["Deployment"]["spec"]


@pytest.mark.parametrize(
    ("pod", "seconds"),
    [
        ({}, 23.0),
        ({"terminationGracePeriodSeconds": 60}, 53.0),
        ({"terminationGracePeriodSeconds": 12}, 7.0),
        ({"terminationGracePeriodSeconds": 3}, 1.0),
        ({"terminationGracePeriodSeconds": 0}, 0.0),
        ({"containers": [{"name": "app", "lifecycle": {"preStop": None}}]}, 28.0),
        ({"containers": [{"name": "app", "lifecycle": {"preStop": {"sleep": {"seconds": 20}}}}]}, 8.0),
        ({"containers": [{"name": "app", "lifecycle": {"preStop": {"sleep": None, "httpGet": {"port": 1}}}}]}, 28.0),
    ],
)
def test_a_drain_ends_two_seconds_before_the_grace_period(pod: Any, seconds: float) -> None:
    http = plan(rendered({"podTemplate": {"spec": pod}})).http
    assert http is not None
    assert http.drain == seconds


@pytest.mark.parametrize(
    ("limits", "workers"), [({}, "1"), ({"cpu": "250m"}, "1"), ({"cpu": 2}, "2"), ({"cpu": "2500m"}, "3")]
)
def test_a_runner_has_a_worker_for_each_processor_that_it_may_use(limits: Any, workers: str) -> None:
    objects = rendered({"executor": "container", "resources": {"limits": limits}}, context=RUNNER)
    command = pods(objects)["containers"][0]["command"]
    assert command[command.index("--workers") + 1] == workers


def test_a_runner_that_serves_nothing_has_no_workers() -> None:
    objects = rendered({"executor": "container"}, COMMAND, RUNNER)
    assert "--workers" not in pods(objects)["containers"][0]["command"]


def test_a_runner_may_have_variables_and_folders_of_its_own() -> None:
    own = {"name": "app", "env": [{"name": "TZ", "value": "UTC"}], "volumeMounts": [{"name": "a", "mountPath": "/a"}]}
    spec = {"executor": "container", "podTemplate": {"spec": {"containers": [own], "volumes": [{"name": "a"}]}}}
    objects = rendered(spec, context=RUNNER)
    assert {"name": "TZ", "value": "UTC"} in pods(objects)["containers"][0]["env"]
    assert plan(objects).env == ()
    assert plan(objects).mounts == ()


def test_a_guests_variable_goes_before_the_runners_of_the_same_name() -> None:
    env = [{"name": "WHERRY_CACHE", "value": "mine"}]
    assert pods(rendered({"executor": "container", "env": env}, context=RUNNER))["containers"][0]["env"] == env


def job_name(spec: Any, context: Any = None, **metadata: Any) -> str:
    name: str = rendered({"run": "job"} | spec, COMMAND, context, **metadata)["Job"]["metadata"]["name"]
    return name


@pytest.mark.parametrize(
    "spec",
    [
        {"args": ["a"]},
        {"env": [{"name": "A", "value": "b"}]},
        {"limits": {"fuel": 9}},
        {"job": {"completions": 2}},
        {"podTemplate": {"metadata": {"labels": {"a": "b"}}}},
    ],
)
def test_a_job_that_would_do_something_else_is_another_job(spec: Any) -> None:
    assert job_name(spec) != job_name({})


@pytest.mark.parametrize("job", [{"backoffLimit": 1}, {"parallelism": 2}, {"ttlSecondsAfterFinished": 1}])
def test_a_setting_that_a_job_can_change_makes_no_other_job(job: Any) -> None:
    assert job_name({"job": job}) == job_name({})


def test_a_job_is_run_again_when_asked() -> None:
    names = {job_name({}, annotations={labels.RUN_AGAIN: value}) for value in ("1", "2")}
    assert len(names | {job_name({})}) == 3


def test_neither_a_secret_nor_another_operator_runs_a_job_again() -> None:
    spec = {"executor": "container", "envFrom": [{"secretRef": {"name": "s"}}]}
    first = {"runnerImage": "runner:1", "checksum": "a", "envNames": ["A"], "owner": "uid"}
    later = {"runnerImage": "runner:2", "checksum": "b", "envNames": ["A", "B"], "registries": "{}"}
    assert job_name(spec, first) == job_name(spec, later)


@pytest.mark.parametrize(
    ("spec", "rolls"),
    [({}, True), ({"scope": "everyNode"}, True), ({"run": "job"}, False)],
)
def test_a_checksum_rolls_out_what_goes_on(spec: Any, rolls: bool) -> None:
    objects = rendered(spec, COMMAND, {"checksum": "sum"})
    (workload,) = objects.values()
    assert (labels.INPUTS in workload["spec"]["template"]["metadata"]["annotations"]) is rolls


def test_a_pod_that_takes_a_port_of_its_node_is_not_replaced_before_it_ends() -> None:
    port = {"containerPort": 8080, "hostPort": 8080}
    taken = {"podTemplate": {"spec": {"containers": [{"name": "app", "ports": [port]}]}}}
    assert rendered({"scope": "everyNode"})["DaemonSet"]["spec"]["updateStrategy"]["rollingUpdate"]["maxSurge"] == 1
    assert "updateStrategy" not in rendered({"scope": "everyNode"} | taken)["DaemonSet"]["spec"]


def test_a_low_port_is_opened_by_the_pods_own_network_alone() -> None:
    sysctls = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    shared = {"podTemplate": {"spec": {"hostNetwork": True}}}
    assert pods(rendered({"port": 443}))["securityContext"]["sysctls"] == sysctls
    assert "sysctls" not in pods(rendered({"port": 443} | shared))["securityContext"]
    assert "sysctls" not in pods(rendered({"port": 1024}))["securityContext"]
    assert "sysctls" not in pods(rendered({"port": 443}, COMMAND))["securityContext"]


def test_every_start_asks_the_registry_where_the_cluster_wants_it() -> None:
    (app,) = pods(rendered({}, context={"alwaysPull": True}))["containers"]
    assert app["imagePullPolicy"] == "Always"


def test_only_the_nodes_shim_asks_for_nodes() -> None:
    assert pods(rendered({"scope": "everyNode"}))["nodeSelector"] == {labels.RUNTIME: "ready"}
    assert "nodeSelector" not in pods(rendered({"scope": "everyNode", "executor": "container"}, context=RUNNER))
    assert "nodeSelector" not in pods(rendered({}))


@given(drawn=APPS, patch=st.none() | PATCHES | st.dictionaries(st.sampled_from(["containers", "volumes"]), PLAIN))
def test_any_app_is_rendered_or_refused(drawn: Any, patch: Any) -> None:
    if patch is not None:
        drawn["spec"]["podTemplate"] = {"spec": patch}
    try:
        app = read(drawn, "app")
        exports = {"exports": ["_start"], "kind": "module"} if app.spec.run not in (None, "http") else {}
        objects = render(app, artifact_of(app, exports), Context(runner_image="runner"))
    except (InvalidApp, InvalidReference):
        return
    assert json.loads(json.dumps(objects))
