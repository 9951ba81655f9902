"""More work, more Pods; less work, fewer."""

from __future__ import annotations

import pytest

from tests.e2e.client import Client, Loading
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO

pytestmark = [pytest.mark.peer, pytest.mark.slow]

METRICS = "/apis/metrics.k8s.io/v1beta1/nodes"
SMALL = {"requests": {"cpu": "20m", "memory": "32Mi"}}
AT_ONCE = '{"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}}'
"""Not after five minutes of little work."""


@pytest.fixture
def measured(namespace: Namespace) -> Namespace:
    """Where somebody knows what Pods use."""
    if '"items"' not in namespace.cluster.kubectl("get", "--raw", METRICS, check=False):
        pytest.skip("needs metrics-server in the cluster, with go: .ci/metrics-server")
    return namespace


def test_an_app_is_scaled_up_and_down_by_its_cpu(measured: Namespace, client: Client) -> None:
    scaling = {"min": 1, "max": 3, "cpu": 50}
    measured.app("hello", artifact=measured.push(HELLO), run="http", resources=SMALL, autoscaling=scaling)
    measured.ready("hello")
    assert client.get("http://hello/")
    load = Loading(measured, "hello", threads=8)
    measured.eventually("it has grown, and its status says so", lambda: ready_replicas(measured) > 1, within=180)
    assert load.stop().failed == {}

    patch(measured, AT_ONCE)
    measured.eventually("it has shrunk", lambda: len(measured.pods("hello")) == 1, within=400)
    measured.ready("hello")
    assert measured.get("hpa", "hello")["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 0


def test_an_autoscaler_goes_on_with_the_pods_that_are_there(measured: Namespace) -> None:
    reference = measured.push(HELLO)
    measured.app("hello", artifact=reference, run="http", resources=SMALL, replicas=2)
    measured.ready("hello")
    before = uids(measured)
    measured.app("hello", artifact=reference, run="http", resources=SMALL, autoscaling={"min": 1, "max": 3, "cpu": 50})
    measured.eventually("the autoscaler reads what they use", lambda: counts(measured), within=180)
    assert uids(measured) == before
    assert len(before) == 2


def counts(namespace: Namespace) -> bool:
    """Whether the autoscaler has measured, and so has decided once."""
    conditions = namespace.get("hpa", "hello").get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == ("ScalingActive", "True") for each in conditions)


def ready_replicas(namespace: Namespace) -> int:
    """As the app's status counts them: a Pod that is there is not yet ready."""
    return int(namespace.get("wasmapp", "hello")["status"].get("readyReplicas", 0))


def uids(namespace: Namespace) -> set[str]:
    return {pod["metadata"]["uid"] for pod in namespace.pods("hello")}


def patch(namespace: Namespace, change: str) -> None:
    """What the operator has not set is the user's."""
    here = ("--namespace", namespace.name)
    namespace.cluster.kubectl("patch", "hpa", "hello", *here, "--type", "merge", "--patch", change)
