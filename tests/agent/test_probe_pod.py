"""The probe Pod: what it asks of a cluster, and what the kubelet's words about it mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wasmtime

from wherry.plan import annotation
from wherry_agent.probe_pod import WASM, State, probe_pod, verdict

OWN: dict[str, Any] = {
    "metadata": {"namespace": "wherry-system", "name": "wherry-agent-x1", "uid": "u-own"},
    "spec": {
        "nodeName": "n1",
        "imagePullSecrets": [{"name": "mirror"}],
        "containers": [{"name": "agent", "image": "registry.example.com/wherry-agent:1"}],
    },
}


def test_the_committed_module_is_made_from_the_text_beside_it() -> None:
    assert WASM.read_bytes() == bytes(wasmtime.wat2wasm(WASM.with_suffix(".wat").read_text()))


def test_it_has_the_agents_image_secrets_and_node_and_goes_with_it() -> None:
    pod = probe_pod(OWN, "wherry-probe")
    assert pod["spec"]["nodeName"] == "n1"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "mirror"}]
    assert pod["spec"]["containers"][0]["image"] == "registry.example.com/wherry-agent:1"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == "u-own"


def test_its_annotation_names_the_module_that_its_command_names() -> None:
    pod = probe_pod(OWN, "wherry-probe")
    plan = annotation.parse(pod["metadata"]["annotations"]["plan.wherry.dev/probe"])
    assert plan.run == "http"
    assert pod["spec"]["containers"][0]["command"] == [str(WASM)]
    assert Path(WASM).suffix == ".wasm"


def status(**fields: object) -> dict[str, Any]:
    return {"metadata": {}, "status": fields}


def container(**state: object) -> list[dict[str, Any]]:
    return [{"name": "probe", "state": state}]


@pytest.mark.parametrize(
    ("pod", "state", "said"),
    [
        pytest.param({"metadata": {}}, State.WAITS, "Pending", id="nobody has seen it"),
        pytest.param(
            status(phase="Pending", containerStatuses=container(waiting={"reason": "ContainerCreating"})),
            State.WAITS,
            "ContainerCreating",
            id="it is made",
        ),
        pytest.param(
            status(phase="Running", conditions=[{"type": "Ready", "status": "False"}]),
            State.WAITS,
            "Running",
            id="it runs and has not answered",
        ),
        pytest.param(
            status(phase="Running", conditions=[{"type": "Ready", "status": "True"}]), State.ANSWERED, "", id="it did"
        ),
        pytest.param(
            status(
                phase="Failed",
                containerStatuses=container(
                    terminated={"exitCode": 128, "reason": "StartError", "message": "start/plan: no"}
                ),
            ),
            State.FAILED,
            "ended with 128: StartError start/plan: no",
            id="it could not start",
        ),
        pytest.param(
            status(phase="Failed", reason="OutOfpods", message="Node didn't have enough resource: pods"),
            State.REJECTED,
            "OutOfpods: Node didn't have enough resource: pods",
            id="the node is full",
        ),
        pytest.param(
            status(
                phase="Failed",
                reason="DeadlineExceeded",
                message="too long",
                containerStatuses=container(waiting={"reason": "x"}),
            ),
            State.FAILED,
            "DeadlineExceeded: too long",
            id="it took too long",
        ),
    ],
)
def test_what_the_kubelet_says_of_it_is_a_verdict(pod: dict[str, Any], state: State, said: str) -> None:
    found = verdict(pod)
    assert (found.state, found.said) == (state, said)
