"""Registries and the API server fail: what runs goes on, the status says why, and nobody has to do anything."""

from __future__ import annotations

from pathlib import Path

from tests.support.apiserver import until
from tests.support.fault_proxy import FaultProxy
from tests.support.operators import Operator, operator, registries_of
from tests.support.places import Place, condition
from tests.support.registry import Registry


def test_a_tag_that_does_not_exist_is_told_and_what_runs_goes_on(place: Place, operated: Operator) -> None:
    place.apply("hello")
    before = place.until_condition("hello", "Ready", "Ready")
    place.apply("hello", artifact=f"{place.host}/demo/hello:nowhere")
    told = place.until_condition("hello", "Resolved", "NotFound")
    assert condition(told, "Ready")["status"] == "False"
    assert told["status"]["readyReplicas"] == 1
    running = place.find("Deployment", "hello")
    assert running is not None
    image = running["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.endswith(before["status"]["artifact"]["digest"])


def test_a_registry_that_is_away_is_told(place: Place, operated: Operator) -> None:
    place.apply("hello", artifact="127.0.0.1:1/demo/hello:v1")
    told = place.until_condition("hello", "Resolved", "RegistryUnavailable")
    assert condition(told, "Ready")["reason"] == "RegistryUnavailable"
    place.apply("hello")
    assert place.until_condition("hello", "Ready", "Ready")["status"]["readyReplicas"] == 1


def test_an_api_server_that_is_away_for_a_while_is_waited_for(
    place: Place, artifacts: Registry, proxy: FaultProxy, tmp_path: Path
) -> None:
    settings = {"registries": str(registries_of(artifacts, tmp_path))}
    with operator(tmp_path, place.plane.kubeconfig(url=proxy.url), place.namespace, **settings) as running:
        place.apply("before")
        place.until_condition("before", "Ready", "Ready")
        with proxy.outage():
            place.apply("during")
            place.kubectl("scale", "wasmapp/before", "--replicas=2")
        place.until_condition("during", "Ready", "Ready")
        place.until("WasmApp", "before", lambda app: app.get("status", {}).get("readyReplicas") == 2)
        assert running.process.poll() is None


def test_a_wrong_field_is_told_and_what_runs_goes_on(place: Place, operated: Operator) -> None:
    place.apply("hello")
    place.until_condition("hello", "Ready", "Ready")
    place.apply("hello", podTemplate={"spec": {"containers": [{"name": "app", "image": "example.com/other:1"}]}})
    told = place.until_condition("hello", "Resolved", "InvalidSpec")
    assert "podTemplate" in condition(told, "Resolved")["message"]
    assert until(lambda: len(place.list("Pod")) == 1)


def test_a_name_that_somebody_else_has_is_left_alone(place: Place, operated: Operator) -> None:
    place.kubectl("create", "service", "clusterip", "hello", "--tcp=1")
    place.apply("hello")
    told = place.until_condition("hello", "Progressing", "NameTaken")
    assert "Service hello" in condition(told, "Progressing")["message"]
    service = place.find("Service", "hello")
    assert service is not None
    assert "ownerReferences" not in service["metadata"]
    place.kubectl("delete", "service", "hello")
    place.kubectl("annotate", "wasmapp", "hello", "example.com/try=again")
    assert place.until_condition("hello", "Ready", "Ready")


def test_an_autoscaler_keeps_what_it_made_of_replicas(place: Place, operated: Operator) -> None:
    place.apply("hello", replicas=3)
    place.until("WasmApp", "hello", lambda app: app.get("status", {}).get("readyReplicas") == 3)
    place.apply("hello", autoscaling={"min": 2, "max": 5, "cpu": 80})
    place.until("HorizontalPodAutoscaler", "hello", lambda _: True)
    place.kubectl("scale", "deployment/hello", "--replicas=4")
    place.until("WasmApp", "hello", lambda app: app.get("status", {}).get("readyReplicas") == 4)
    place.apply("hello", autoscaling={"min": 2, "max": 5, "cpu": 80}, env=[{"name": "A", "value": "1"}])
    changed = place.until(
        "Deployment", "hello", lambda each: each["spec"]["template"]["spec"]["containers"][0].get("env")
    )
    assert changed["spec"]["replicas"] == 4
