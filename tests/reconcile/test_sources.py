"""What an app reads: a change rolls out, a restart of the operator does not, and what is missing is told."""

from __future__ import annotations

from tests.support.apiserver import until
from tests.support.fake_node import FakeNode
from tests.support.operators import Operator
from tests.support.places import Place, condition
from tests.support.pod_statuses import starting, usual

READS = [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "token"}}]


def config(place: Place, value: str) -> None:
    meta = {"name": "settings", "namespace": place.namespace}
    place.apply_object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"GREETING": value}})


def template(place: Place) -> dict[str, str]:
    """The annotations of the app's Pods."""
    found = place.find("Deployment", "hello")
    assert found is not None
    annotations: dict[str, str] = found["spec"]["template"]["metadata"]["annotations"]
    return annotations


def test_a_changed_configmap_and_a_changed_secret_roll_out(place: Place, operated: Operator) -> None:
    config(place, "Ahoy")
    place.kubectl("create", "secret", "generic", "token", "--from-literal=TOKEN=1")
    place.apply("hello", envFrom=READS)
    place.until_condition("hello", "Ready", "Ready")
    first = template(place)
    assert '"env":["GREETING","TOKEN"]' in first["plan.wherry.dev/app"]
    config(place, "Moin")
    assert until(lambda: template(place)["wherry.dev/inputs"] != first["wherry.dev/inputs"])
    second = template(place)
    place.kubectl("patch", "secret", "token", "--patch", '{"stringData": {"OTHER": "2"}}')
    assert until(lambda: template(place)["wherry.dev/inputs"] != second["wherry.dev/inputs"])
    assert '"env":["GREETING","OTHER","TOKEN"]' in template(place)["plan.wherry.dev/app"]


def test_a_restart_rolls_nothing_out(place: Place, operated: Operator) -> None:
    config(place, "Ahoy")
    place.apply("hello", envFrom=READS[:1])
    place.until_condition("hello", "Ready", "Ready")
    before = place.find("Deployment", "hello")
    operated.kill()
    operated.restart()
    operated.wait_until_it_leads()
    assert until(lambda: operated.metric("wherry_operator_passes_total") >= 1)
    after = place.find("Deployment", "hello")
    assert before is not None
    assert after is not None
    assert (after["metadata"]["generation"], template(place)) == (before["metadata"]["generation"], template(place))
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_a_missing_configmap_is_named_and_its_coming_is_enough(
    place: Place, node: FakeNode, operated: Operator
) -> None:
    """A Pod whose volume lacks its ConfigMap waits and does not say for what."""
    node.behave(place.namespace, "hello", starting)
    volumes = {"spec": {"volumes": [{"name": "data", "configMap": {"name": "settings"}}]}}
    place.apply("hello", podTemplate=volumes)
    told = place.until_condition("hello", "Available", "MissingSource")
    assert "ConfigMap settings" in condition(told, "Available")["message"]
    config(place, "Ahoy")
    node.behave(place.namespace, "hello", usual)
    assert place.until_condition("hello", "Ready", "Ready")["status"]["readyReplicas"] == 1
