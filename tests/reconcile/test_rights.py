"""The operator with its role only: nothing is refused to it, and nothing is granted that it never uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.apiserver import until
from tests.support.control_plane import install
from tests.support.operators import Operator, operator, registries_of
from tests.support.places import Place
from tests.support.registry import Registry

FILES = Path(__file__).parents[2] / "charts" / "wherry" / "files"
RULES = yaml.safe_load((FILES / "operator-rules.yaml").read_text())
OWN_RULES = yaml.safe_load((FILES / "operator-namespace-rules.yaml").read_text())
CLUSTER_RULES = yaml.safe_load((FILES / "operator-cluster-rules.yaml").read_text())
ROUTES = Path(__file__).with_name("httproutes.yaml")
Permission = tuple[str, str]
RARE = {
    ("get", "wasmapps.wherry.dev"): "asked when a write finds nothing, to know whether the app itself is gone",
    ("patch", "events.events.k8s.io"): "when the same news comes again after a minute",
}
"""Permissions that an ordinary life does not need, and when one does."""


@pytest.fixture
def limited(place: Place, artifacts: Registry, tmp_path: Path) -> Iterator[Operator]:
    """An operator of the whole cluster with a service account of its own."""
    if place.plane.server.ask("GET", "/apis/gateway.networking.k8s.io/v1/httproutes").status == 404:
        install(place.plane, ROUTES)
    token = place.plane.account(place.namespace, "operator", [*RULES, *CLUSTER_RULES], OWN_RULES)
    settings = {"namespaces": "", "leader_election": "true", "registries": str(registries_of(artifacts, tmp_path))}
    with operator(tmp_path, place.plane.kubeconfig(token=token), place.namespace, **settings) as running:
        running.wait_until_it_leads()
        yield running


def test_the_role_is_just_what_is_used(place: Place, limited: Operator) -> None:
    user = f"system:serviceaccount:{place.namespace}:operator"
    live_a_life(place)
    granted = {each for rule in [*RULES, *OWN_RULES, *CLUSTER_RULES] for each in permissions(rule)}

    def used() -> set[Permission]:
        asked = place.plane.audit.since(0, user=user)
        assert [each for each in asked if each.status == 403] == []
        found = {(each.verb, each.resource) for each in asked} | applied(place, user) | set(RARE)
        return found | {("list", resource) for verb, resource in found if verb == "watch"}  # older servers need a list

    try:
        assert until(lambda: granted <= used())
    except TimeoutError as error:
        raise AssertionError(f"granted and never used: {sorted(granted - used())}") from error
    assert used() <= granted


def test_in_one_namespace_it_needs_nothing_of_the_cluster(place: Place, artifacts: Registry, tmp_path: Path) -> None:
    token = place.plane.account(place.namespace, "operator", [], [*RULES, *OWN_RULES])
    settings = {"leader_election": "true", "registries": str(registries_of(artifacts, tmp_path))}
    with operator(tmp_path, place.plane.kubeconfig(token=token), place.namespace, **settings) as running:
        running.wait_until_it_leads()
        place.apply("hello")
        place.until_condition("hello", "Ready", "Ready")
    asked = place.plane.audit.since(0, user=f"system:serviceaccount:{place.namespace}:operator")
    assert [each for each in asked if each.status == 403] == []
    assert {each.namespace for each in asked} == {place.namespace}


def live_a_life(place: Place) -> None:
    """Every kind of child is made, changed and removed; an app reads everything that it can read."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": place.namespace}}
    place.apply_object(config | {"data": {"A": "1"}})
    place.kubectl("create", "secret", "generic", "token", "--from-literal=B=2")
    reads = [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "token"}}]
    scaled = {"autoscaling": {"max": 3, "cpu": 80}, "disruption": {"maxUnavailable": 1}}
    ways = ({"ingress": {"hosts": ["a.example.com"]}}, {"gateway": {"parentRefs": [{"name": "public"}]}})
    for name, way in zip(("one", "two"), ways, strict=True):
        place.apply(name, envFrom=reads, expose=way, **scaled)
        place.until_condition(name, "Ready", "Ready")
    for name in ("one", "two"):
        place.apply(name)
        place.until("WasmApp", name, lambda app: app["status"]["observedGeneration"] == app["metadata"]["generation"])
    wasm = f"{place.host}/demo/hello:v2"
    place.apply("one", run="job", artifact=wasm)
    place.until("WasmApp", "one", lambda _: bool(place.list("Job")))
    place.apply("one", run="cron", cron={"schedule": "@daily"}, artifact=wasm)
    place.until("WasmApp", "one", lambda _: bool(place.list("CronJob")) and not place.list("Job"))
    place.apply("one", scope="everyNode")
    place.until("WasmApp", "one", lambda _: bool(place.list("DaemonSet")) and not place.list("CronJob"))
    place.apply("one")
    place.until("WasmApp", "one", lambda _: not place.list("DaemonSet"))


def permissions(rule: dict[str, Any]) -> set[Permission]:
    """As the audit log names them."""
    resources = [with_group(each, group) for group in rule["apiGroups"] for each in rule["resources"]]
    return {(verb, each) for verb in rule["verbs"] for each in resources}


def with_group(resource: str, group: str) -> str:
    name, slash, subresource = resource.partition("/")
    return f"{name}.{group}{slash}{subresource}" if group else resource


def applied(place: Place, user: str) -> set[Permission]:
    """A patch that made an object needed the right to create it; the audit log says 201."""
    made = [each for each in place.plane.audit.since(0, user=user) if (each.verb, each.status) == ("patch", 201)]
    return {("create", each.resource) for each in made}
