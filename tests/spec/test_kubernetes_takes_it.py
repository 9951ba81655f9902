"""What passes our checks and goes into Kubernetes objects as it is, Kubernetes takes: nothing is refused later."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, reject, settings

from tests.spec.strategies import Values, values
from tests.support.apiserver import ApiServer
from wherry.errors import InvalidValue
from wherry.spec.collection import Listing
from wherry.spec.exposure import Ingress
from wherry.spec.grants import FileGrant
from wherry.spec.lifecycle import SCHEDULE_SHAPE, Disruption
from wherry.spec.measure import Amount
from wherry.spec.names import APP_NAME, LABEL
from wherry.spec.pod import CONTAINER, EnvFrom, EnvVar
from wherry.spec.record import Record
from wherry.spec.schedule import parse_schedule
from wherry.spec.shape import Shape

pytestmark = pytest.mark.peer

SETTINGS = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
SELECTOR = {"matchLabels": {"a": "b"}}
APP = {"name": "app", "image": "x"}
JOB = {"spec": {"template": {"spec": {"containers": [APP], "restartPolicy": "Never"}}}}


def _taken(server: ApiServer, group: str, plural: str, kind: str, spec: object, name: str = "a") -> None:
    version = group.removeprefix("api/").removeprefix("apis/")
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
    answer = server.ask("POST", f"/{group}/namespaces/default/{plural}?dryRun=All", body)
    assert answer.status == 201, answer.body["message"]


def _pod(server: ApiServer, **app: Any) -> None:
    _taken(server, "api/v1", "pods", "Pod", {"containers": [APP | app]})


def _several(shape: Shape[Any], key: str) -> Values:
    return values(Listing(shape, most=4, key=key))


@SETTINGS
@given(name=values(APP_NAME))
def test_an_apps_name_is_a_services_and_a_cron_jobs(server: ApiServer, name: str) -> None:
    _taken(server, "api/v1", "services", "Service", {"ports": [{"port": 80}]}, name)
    _taken(server, "apis/batch/v1", "cronjobs", "CronJob", {"schedule": "@daily", "jobTemplate": JOB}, name)


@SETTINGS
@given(schedule=values(SCHEDULE_SHAPE))
@example(schedule="@every 8760h")
@example(schedule="@every 1s")
def test_a_schedule_is_a_cron_jobs(server: ApiServer, schedule: str) -> None:
    try:
        parse_schedule(schedule)
    except InvalidValue:
        reject()
    _taken(server, "apis/batch/v1", "cronjobs", "CronJob", {"schedule": schedule, "jobTemplate": JOB})


@SETTINGS
@given(env=_several(Record(EnvVar), "name"))
def test_variables_are_a_containers(server: ApiServer, env: list[dict[str, Any]]) -> None:
    _pod(server, env=[{"name": each["name"], "value": each.get("value")} for each in env])


@SETTINGS
@given(sources=_several(Record(EnvFrom), ""))
def test_whole_sources_are_a_containers(server: ApiServer, sources: list[dict[str, Any]]) -> None:
    one = [each | {"secretRef": None} if each.get("configMapRef") else each for each in sources]
    _pod(server, envFrom=[each for each in one if each.get("configMapRef") or each.get("secretRef")])


@SETTINGS
@given(grants=_several(Record(FileGrant), "mountPath"))
def test_file_grants_are_a_containers_mounts(server: ApiServer, grants: list[dict[str, Any]]) -> None:
    names = {grant["name"] for grant in grants}
    spec = {
        "containers": [APP | {"volumeMounts": grants}],
        "volumes": [{"name": name, "emptyDir": {}} for name in names],
    }
    _taken(server, "api/v1", "pods", "Pod", spec)


@SETTINGS
@given(others=_several(CONTAINER, "name"))
def test_other_containers_are_a_pods(server: ApiServer, others: list[dict[str, Any]]) -> None:
    _taken(server, "api/v1", "pods", "Pod", {"containers": [APP, *others]})


@SETTINGS
@given(amount=values(Amount()))
def test_quantities_are_a_containers(server: ApiServer, amount: object) -> None:
    _pod(server, resources={"requests": {"ephemeral-storage": amount}})


@SETTINGS
@given(ingress=values(Record(Ingress)))
def test_an_ingress_is_one(server: ApiServer, ingress: dict[str, Any]) -> None:
    backend = {"service": {"name": "a", "port": {"number": 80}}}
    path = {"path": ingress.get("path") or "/", "pathType": ingress.get("pathType") or "Prefix", "backend": backend}
    rules = [{"host": host, "http": {"paths": [path]}} for host in ingress.get("hosts") or [None]]
    spec = {"rules": rules, "tls": ingress.get("tls"), "ingressClassName": ingress.get("className")}
    _taken(server, "apis/networking.k8s.io/v1", "ingresses", "Ingress", spec)


@SETTINGS
@given(budget=values(Record(Disruption)))
def test_a_disruption_budget_is_one(server: ApiServer, budget: dict[str, Any]) -> None:
    one = budget | {"maxUnavailable": None} if budget.get("minAvailable") is not None else budget
    _taken(server, "apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", one | {"selector": SELECTOR})


@SETTINGS
@given(label=values(LABEL))
def test_a_label_is_a_namespaces_name(server: ApiServer, label: str) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": label}}
    assert server.ask("POST", "/api/v1/namespaces?dryRun=All", body).status == 201
