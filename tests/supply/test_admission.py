"""The optional admission policy on a real control plane: nobody but the operator brings Wasm in, and nothing else is
touched.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.support.apiserver import Answer, until
from tests.support.control_plane import ControlPlane
from tests.support.fake_node import fake_node

pytestmark = pytest.mark.peer

COMMAND = "kubectl apply -f charts/wherry/files/admission-policy.yaml"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
OPERATOR = "system:serviceaccount:wherry-system:wherry-operator"
MALLORY = "mallory"
PATHS = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "ReplicationController": "/api/v1/namespaces/{}/replicationcontrollers",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
}
OF_THE_OPERATOR = ("Deployment", "DaemonSet", "Job", "CronJob")
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
IMAGE = "ghcr.io/acme/hello@sha256:" + "1" * 64
OTHER = "ghcr.io/mallory/evil@sha256:" + "2" * 64
PLAN = {"plan.wherry.dev/app": '{"v":1}'}

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def guarded(plane: ControlPlane) -> Iterator[ControlPlane]:
    """With the policy in force; mallory and the operator may do everything that RBAC can grant."""
    for number, user in enumerate((MALLORY, OPERATOR)):
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        binding = {"metadata": {"name": f"all-{number}"}, "roleRef": role, "subjects": [subject]}
        plane.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    *words, file = COMMAND.split()[1:]
    applied = plane.server.kubectl(*words, str(ROOT / file))
    assert applied.returncode == 0, applied.stderr
    until(lambda: create(plane, "Pod", "default", pod(), MALLORY, "?dryRun=All").status == 403)
    with fake_node(plane.server):
        yield plane


@pytest.fixture
def namespace(guarded: ControlPlane) -> str:
    return guarded.new_namespace()


def template(runtime: str = "wherry", image: str = IMAGE) -> Manifest:
    spec: Manifest = {"containers": [{"name": "app", "image": image, "command": ["/app.wasm"]}]}
    if runtime:
        spec["runtimeClassName"] = runtime
    return {"metadata": {"labels": {"app": "x"}, "annotations": dict(PLAN)}, "spec": spec}


def pod(**given: str) -> Manifest:
    made = template(**given)
    return {"metadata": made["metadata"] | {"name": "x"}, "spec": made["spec"]}


def built(kind: str, **given: str) -> Manifest:
    """An object of the kind whose Pods have the template."""
    if kind == "Pod":
        return pod(**given)
    made, selector = template(**given), {"app": "x"}
    if kind in ("Job", "CronJob"):
        made["spec"]["restartPolicy"] = "Never"
    spec: Manifest = {"template": made}
    if kind == "ReplicationController":
        spec["selector"] = selector
    elif kind == "CronJob":
        spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": spec}}
    elif kind != "Job":
        spec["selector"] = {"matchLabels": selector}
    if kind == "StatefulSet":
        spec["serviceName"] = "x"
    return {"metadata": {"name": "x"}, "spec": spec}


def create(plane: ControlPlane, kind: str, namespace: str, body: Manifest, user: str, query: str = "") -> Answer:
    return plane.server.ask("POST", PATHS[kind].format(namespace) + query, body, user=user)


def patch(
    plane: ControlPlane, kind: str, where: str, body: Manifest, user: str, form: str = STRATEGIC, name: str = "x"
) -> Answer:
    """where: the namespace. name: may have a subresource behind it."""
    return plane.server.ask("PATCH", f"{PATHS[kind].format(where)}/{name}", body, form, user=user)


def refused(answer: Answer) -> bool:
    return answer.status == 403 and "ValidatingAdmissionPolicy" in answer.body["message"]


def pods(plane: ControlPlane, namespace: str) -> list[Manifest]:
    found: list[Manifest] = plane.server.ask("GET", PATHS["Pod"].format(namespace)).body["items"]
    return found


@pytest.mark.parametrize("kind", PATHS)
def test_nobody_else_makes_an_object_that_runs_under_wherry(kind: str, guarded: ControlPlane, namespace: str) -> None:
    answer = create(guarded, kind, namespace, built(kind), MALLORY)
    assert refused(answer)
    assert f"wherry: mallory may not make or change a {kind} of RuntimeClass wherry" in answer.body["message"]


@pytest.mark.parametrize("kind", PATHS)
def test_other_objects_are_not_touched(kind: str, guarded: ControlPlane, namespace: str) -> None:
    assert create(guarded, kind, namespace, built(kind, runtime=""), MALLORY).status == 201


@pytest.mark.parametrize("kind", PATHS)
def test_an_object_does_not_come_under_wherry_by_a_change(kind: str, guarded: ControlPlane, namespace: str) -> None:
    assert create(guarded, kind, namespace, built(kind, runtime=""), MALLORY).status == 201
    answer = patch(guarded, kind, namespace, {"spec": built(kind)["spec"]}, MALLORY)
    assert refused(answer) or (kind in ("Pod", "Job") and answer.status == 422), answer.body


@pytest.mark.parametrize("kind", OF_THE_OPERATOR)
def test_the_operator_makes_and_changes_its_own_kinds(kind: str, guarded: ControlPlane, namespace: str) -> None:
    body = {"apiVersion": PATHS[kind].split("/namespaces")[0].removeprefix("/apis/"), "kind": kind} | built(kind)
    manager = "?fieldManager=wherry-operator&force=true"
    assert patch(guarded, kind, namespace, body, OPERATOR, APPLY, f"x{manager}").status == 201
    if kind != "Job":
        changed = copy.deepcopy(body) | {"spec": built(kind, image=OTHER)["spec"]}
        assert patch(guarded, kind, namespace, changed, OPERATOR, APPLY, f"x{manager}").status == 200


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "Job"])
def test_controllers_make_the_pods_of_what_the_operator_made(kind: str, guarded: ControlPlane, namespace: str) -> None:
    assert create(guarded, kind, namespace, built(kind), OPERATOR).status == 201
    until(lambda: pods(guarded, namespace))
    assert [each["spec"]["runtimeClassName"] for each in pods(guarded, namespace)] == ["wherry"]


def test_the_cronjob_controller_makes_its_jobs(guarded: ControlPlane, namespace: str) -> None:
    controller = "system:serviceaccount:kube-system:cronjob-controller"
    assert create(guarded, "Job", namespace, built("Job"), controller, "?dryRun=All").status == 201


STRANGE = [
    ("Pod", "statefulset-controller"),
    ("Pod", "replication-controller"),
    ("Pod", "deployment-controller"),
    ("ReplicaSet", "replicaset-controller"),
    ("Job", "job-controller"),
    ("Deployment", "deployment-controller"),
]


@pytest.mark.parametrize(("kind", "controller"), STRANGE)
def test_a_controller_makes_nothing_but_what_is_its_own(
    kind: str, controller: str, guarded: ControlPlane, namespace: str
) -> None:
    user = f"system:serviceaccount:kube-system:{controller}"
    assert create(guarded, kind, namespace, built(kind), user, "?dryRun=All").status == 403


def test_a_new_image_of_the_operator_is_rolled_out(guarded: ControlPlane, namespace: str) -> None:
    assert create(guarded, "Deployment", namespace, built("Deployment"), OPERATOR).status == 201
    until(lambda: pods(guarded, namespace))
    change = {"spec": {"template": template(image=OTHER)}}
    assert patch(guarded, "Deployment", namespace, change, OPERATOR).status == 200
    until(lambda: {each["spec"]["containers"][0]["image"] for each in pods(guarded, namespace)} == {OTHER})
    assert len(pods(guarded, namespace)) == 1


CHANGES: dict[str, Manifest] = {
    "image": {"spec": {"containers": [{"name": "app", "image": OTHER}]}},
    "container": {"spec": {"containers": [{"name": "more", "image": OTHER}]}},
    "init container": {"spec": {"initContainers": [{"name": "first", "image": OTHER}]}},
    "plan": {"metadata": {"annotations": {"plan.wherry.dev/app": "{}"}}},
    "plan taken away": {"metadata": {"annotations": {"plan.wherry.dev/app": None}}},
    "another plan": {"metadata": {"annotations": {"plan.wherry.dev/other": "{}"}}},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "CronJob"])
def test_nobody_else_changes_what_runs(change: str, kind: str, guarded: ControlPlane, namespace: str) -> None:
    assert create(guarded, kind, namespace, built(kind), OPERATOR).status == 201
    body: Manifest = {"spec": {"template": CHANGES[change]}}
    if kind == "CronJob":
        body = {"spec": {"jobTemplate": body}}
    assert refused(patch(guarded, kind, namespace, body, MALLORY))


def test_nobody_else_changes_what_runs_by_applying_it(guarded: ControlPlane, namespace: str) -> None:
    assert create(guarded, "Deployment", namespace, built("Deployment"), OPERATOR).status == 201
    body = {"apiVersion": "apps/v1", "kind": "Deployment"} | built("Deployment", image=OTHER)
    query = "x?fieldManager=mallory&force=true"
    assert refused(patch(guarded, "Deployment", namespace, body, MALLORY, APPLY, query))


def running(plane: ControlPlane, namespace: str) -> str:
    """Name of the Pod of a Deployment that the operator made."""
    assert create(plane, "Deployment", namespace, built("Deployment"), OPERATOR).status == 201
    until(lambda: pods(plane, namespace))
    return str(pods(plane, namespace)[0]["metadata"]["name"])


@pytest.mark.parametrize("change", ["image", "plan"])
def test_nobody_changes_what_a_pod_or_a_replica_set_runs(change: str, guarded: ControlPlane, namespace: str) -> None:
    name = running(guarded, namespace)
    assert refused(patch(guarded, "Pod", namespace, CHANGES[change], MALLORY, name=name))
    replicas = name.rpartition("-")[0]
    body = {"spec": {"template": CHANGES[change]}}
    assert refused(patch(guarded, "ReplicaSet", namespace, body, MALLORY, name=replicas))


def test_an_ephemeral_container_is_refused_under_wherry_alone(guarded: ControlPlane, namespace: str) -> None:
    body = {"spec": {"ephemeralContainers": [{"name": "debug", "image": OTHER, "targetContainerName": "app"}]}}
    name = running(guarded, namespace)
    answer = patch(guarded, "Pod", namespace, body, MALLORY, name=f"{name}/ephemeralcontainers")
    assert refused(answer)
    assert "takes no ephemeral containers" in answer.body["message"]
    assert create(guarded, "Pod", namespace, built("Pod", runtime=""), MALLORY).status == 201
    assert patch(guarded, "Pod", namespace, body, MALLORY, name="x/ephemeralcontainers").status == 200


def test_everybody_may_scale_restart_and_label(guarded: ControlPlane, namespace: str) -> None:
    name = running(guarded, namespace)
    restart = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    label = {"metadata": {"labels": {"team": "shop"}}}
    assert patch(guarded, "Pod", namespace, label, MALLORY, name=name).status == 200
    assert patch(guarded, "Deployment", namespace, label, MALLORY).status == 200
    assert patch(guarded, "Deployment", namespace, restart, MALLORY).status == 200
    assert patch(guarded, "Deployment", namespace, {"spec": {"replicas": 3}}, MALLORY, MERGE, "x/scale").status == 200
    until(lambda: len(pods(guarded, namespace)) >= 3)


def test_everybody_may_delete(guarded: ControlPlane, namespace: str) -> None:
    name = running(guarded, namespace)
    assert guarded.server.ask("DELETE", f"{PATHS['Pod'].format(namespace)}/{name}", user=MALLORY).status == 200


def test_a_job_is_not_made_from_a_cronjob_by_hand(guarded: ControlPlane, namespace: str) -> None:
    assert create(guarded, "CronJob", namespace, built("CronJob"), OPERATOR).status == 201
    job = built("CronJob")["spec"]["jobTemplate"] | {"metadata": {"name": "by-hand"}}
    assert refused(create(guarded, "Job", namespace, job, MALLORY))


def test_a_controller_manager_with_one_name_for_all_may_do_its_work(guarded: ControlPlane, namespace: str) -> None:
    for kind in ("Pod", "ReplicaSet", "Job"):
        answer = create(guarded, kind, namespace, built(kind), "system:kube-controller-manager", "?dryRun=All")
        assert not refused(answer), answer.body
    assert create(guarded, "Deployment", namespace, built("Deployment"), "system:kube-controller-manager").status == 403


def test_kubernetes_finds_nothing_to_warn_of(guarded: ControlPlane) -> None:
    path = f"{POLICIES}/wherry-only-by-operator"
    status = until(lambda: guarded.server.ask("GET", path).body.get("status", {}))
    assert status["typeChecking"] == {}
