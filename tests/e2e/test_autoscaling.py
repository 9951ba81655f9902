"""More work, more Pods; less work, fewer."""

from __future__ import annotations

import pytest

from tests.e2e.client import Client, Loading
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO

pytestmark = [pytest.mark.peer, pytest.mark.slow]

METRICS = "/apis/metrics.k8s.io/v1beta1/nodes"


def test_an_app_is_scaled_up_and_down_by_its_cpu(namespace: Namespace, client: Client) -> None:
    if '"items"' not in namespace.cluster.kubectl("get", "--raw", METRICS, check=False):
        pytest.skip("needs metrics-server in the cluster; on kind with --kubelet-insecure-tls")
    small = {"requests": {"cpu": "20m", "memory": "32Mi"}}
    namespace.app(
        "hello",
        artifact=namespace.push(HELLO),
        run="http",
        resources=small,
        autoscaling={"min": 1, "max": 3, "cpu": 50},
    )
    namespace.ready("hello")
    assert client.get("http://hello/")
    here = ("--namespace", namespace.name)
    patch = '{"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}}'
    load = Loading(namespace, "hello", threads=8)
    namespace.eventually("it has grown", lambda: len(namespace.pods("hello")) > 1, within=180)
    assert load.stop().served > 0
    namespace.cluster.kubectl("patch", "hpa", "hello", *here, "--type", "merge", "--patch", patch)
    namespace.eventually("it has shrunk", lambda: len(namespace.pods("hello")) == 1, within=400)
