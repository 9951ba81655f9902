"""The cluster that tests have does what a cluster does, where the operator's tests rely on it."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.support.apiserver import until
from tests.support.audit import counts
from tests.support.clients import config_map, deployment, wasm_app
from tests.support.control_plane import ControlPlane
from tests.support.fake_node import FakeNode
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import Fault, Faults, always, once
from tests.support.pod_statuses import crashing, waiting

pytestmark = pytest.mark.peer
APPS, BATCH, POLICY = "/apis/apps/v1", "/apis/batch/v1", "/apis/policy/v1"


def _get(plane: ControlPlane, path: str) -> dict[str, Any]:
    return plane.server.ask("GET", path).body


def _template(app: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "registry.example/app"}
    return {"metadata": {"labels": {"wherry.dev/app": app}}, "spec": {"containers": [container]} | spec}


def test_a_deployment_with_our_runtime_class_becomes_available(
    control_plane: ControlPlane, node: FakeNode, namespace: str
) -> None:
    template = _template("a", runtimeClassName="wherry", initContainers=[{"name": "first", "image": "i"}])
    control_plane.create(
        f"{APPS}/namespaces/{namespace}/deployments", deployment(namespace, "a", replicas=2, template=template)
    )
    path = f"{APPS}/namespaces/{namespace}/deployments/a"
    assert until(lambda: _get(control_plane, path).get("status", {}).get("availableReplicas") == 2)


def test_jobs_end_and_cron_jobs_and_daemon_sets_run(
    control_plane: ControlPlane, node: FakeNode, namespace: str
) -> None:
    once_, every = _template("j", restartPolicy="Never"), _template("d")
    selector = {"matchLabels": {"wherry.dev/app": "d"}}
    job, daemons = f"{BATCH}/namespaces/{namespace}/jobs", f"{APPS}/namespaces/{namespace}/daemonsets"
    control_plane.create(job, {"metadata": {"name": "j"}, "spec": {"template": once_}})
    control_plane.create(daemons, {"metadata": {"name": "d"}, "spec": {"selector": selector, "template": every}})
    assert until(lambda: _get(control_plane, f"{job}/j").get("status", {}).get("succeeded") == 1)
    assert until(lambda: _get(control_plane, f"{daemons}/d").get("status", {}).get("numberReady") == 1)


def test_a_pod_does_what_the_test_says_and_changes_its_mind(
    control_plane: ControlPlane, node: FakeNode, namespace: str
) -> None:
    node.behave(namespace, "a", waiting("ImagePullBackOff", "not found"))
    control_plane.create(f"{APPS}/namespaces/{namespace}/deployments", deployment(namespace, "a"))
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def container() -> dict[str, Any]:
        found = _get(control_plane, pods)["items"]
        states: dict[str, Any] = found[0]["status"].get("containerStatuses", [{}])[0] if found else {}
        return states

    assert until(lambda: container().get("state", {}).get("waiting", {}).get("reason") == "ImagePullBackOff")
    node.behave(namespace, "a", crashing(134, "Error", "trap/unreachable: m"))
    assert until(lambda: container().get("lastState", {}).get("terminated", {}).get("exitCode") == 134)


def test_what_an_app_owns_goes_with_it(control_plane: ControlPlane, node: FakeNode, namespace: str) -> None:
    apps = f"/apis/wherry.dev/v1alpha1/namespaces/{namespace}/wasmapps"
    app = control_plane.create(apps, wasm_app(namespace, "a"))
    owner = {"apiVersion": app["apiVersion"], "kind": app["kind"], "name": "a", "uid": app["metadata"]["uid"]}
    owned = dict(deployment(namespace, "a"))
    owned["metadata"] = owned["metadata"] | {"ownerReferences": [owner | {"controller": True}]}
    control_plane.create(f"{APPS}/namespaces/{namespace}/deployments", owned)
    pods = f"/api/v1/namespaces/{namespace}/pods"
    until(lambda: _get(control_plane, pods)["items"])
    control_plane.server.ask("DELETE", f"{apps}/a")
    assert until(lambda: control_plane.server.ask("GET", f"{APPS}/namespaces/{namespace}/deployments/a").status == 404)
    assert until(lambda: not _get(control_plane, pods)["items"])


def test_the_audit_log_tells_who_asked_for_what(control_plane: ControlPlane, namespace: str) -> None:
    mark = control_plane.audit.mark()
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    control_plane.create(path, config_map(namespace, "a", {}))
    control_plane.server.ask("GET", f"{path}/absent")
    asked = counts(each for each in control_plane.asked(mark, user="tester") if each.namespace == namespace)
    assert asked == {("create", "configmaps", 201): 1, ("get", "configmaps", 404): 1}


def _through(proxy: FaultProxy, token: str, path: str, body: Any = None) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(proxy.url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=2) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.THROTTLED, 429), (Fault.INTERNAL, 500), (Fault.UNAVAILABLE, 503), (Fault.CONFLICT, 409)],
)
def test_the_proxy_answers_what_it_is_told_and_then_passes_on(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, fault: Fault, status: int
) -> None:
    path, body = f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "a"}}
    proxy.plan(once(fault))
    first, _ = _through(proxy, control_plane.server.token, path, body)
    second, _ = _through(proxy, control_plane.server.token, path, body)
    assert (first, second) == (status, 201)


@pytest.mark.parametrize(("fault", "written"), [(Fault.DROPPED, False), (Fault.LOST, True), (Fault.HALF, True)])
def test_the_proxy_loses_requests_before_and_after(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, fault: Fault, written: bool
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    proxy.plan(once(fault))
    with pytest.raises((ConnectionError, http.client.HTTPException, urllib.error.URLError)):
        _through(proxy, control_plane.server.token, path, {"metadata": {"name": "a"}})
    assert (control_plane.server.ask("GET", f"{path}/a").status == 200) == written


@pytest.mark.parametrize("fault", [Fault.EXPIRED, Fault.EXPIRES])
def test_the_proxy_lets_watches_expire(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, fault: Fault
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(9):
        control_plane.create(path, config_map(namespace, f"c-{number}", {}))
    proxy.plan(always(fault))
    status, body = _through(proxy, control_plane.server.token, f"{path}?watch=true&timeoutSeconds=1")
    last = json.loads(body.splitlines()[-1])
    assert (last["code"] if fault is Fault.EXPIRED else last["object"]["code"]) == 410
    assert status == (410 if fault is Fault.EXPIRED else 200)


def test_the_same_seed_makes_the_same_faults() -> None:
    plans = [Faults(7, share=0.5) for _ in range(2)]
    first, second = ([plan.next("PATCH", False) for _ in range(50)] for plan in plans)
    assert first == second
    assert 10 < len([each for each in first if each]) < 40
