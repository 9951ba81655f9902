"""A container's status in the user's terms, for each way that a kubelet words it."""

from __future__ import annotations

from typing import Any

import pytest

from wherry_operator.status.containers import pull_fault, trouble

PULL = 'failed to pull and unpack image "a:1": not found'


def _waiting(reason: str, message: str = "", **rest: Any) -> dict[str, Any]:
    return {
        "name": "app",
        "image": "a:1",
        "ready": False,
        "state": {"waiting": {"reason": reason, "message": message}},
    } | rest


def _ended(code: int, name: str = "app", **rest: Any) -> dict[str, Any]:
    return _waiting("CrashLoopBackOff", name=name, lastState={"terminated": {"exitCode": code} | rest})


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        pytest.param(_waiting("InvalidImageName", "bad"), "ImagePull", "cannot pull a:1: bad", id="image name"),
        pytest.param(_waiting("ErrImageNeverPull"), "ImagePull", "cannot pull a:1", id="never pull"),
        pytest.param(
            _waiting("CreateContainerConfigError", 'configmap "a" not found'), "MissingSource", "", id="ConfigMap"
        ),
        pytest.param(
            _waiting("CreateContainerConfigError"), "ConfigRefused", "CreateContainerConfigError", id="no words"
        ),
        pytest.param(_waiting("CreateContainerError", "name is taken"), "StartError", "name is taken", id="create"),
        pytest.param(
            _waiting("RunContainerError", "x: start/plan: y: unknown"), "StartError", "start/plan: y", id="run"
        ),
        pytest.param(_ended(134), "Trapping", "ends with exit code 134 (SIGABRT)", id="trap without a message"),
        pytest.param(_ended(124), "LimitReached", "ends with exit code 124", id="limit without a message"),
        pytest.param(_ended(125), "StartError", "ends with exit code 125", id="start without a message"),
        pytest.param(_ended(134, "cache"), "CrashLoop", "ends with exit code 134 (SIGABRT)", id="a sidecar's own code"),
        pytest.param(_ended(143), "CrashLoop", "ends with exit code 143 (SIGTERM)", id="a signal"),
        pytest.param(_ended(255), "CrashLoop", "ends with exit code 255", id="no signal"),
        pytest.param(_ended(137, reason="OOMKilled"), "OutOfMemory", "", id="killed for memory"),
        pytest.param(_ended(137), "CrashLoop", "ends with exit code 137 (SIGKILL)", id="killed"),
        pytest.param(
            _ended(128, reason="StartError", message="no such file"), "StartError", "no such file", id="kubelet"
        ),
        pytest.param(
            _ended(134, message="oom/memory: all of it"), "OutOfMemory", "oom/memory: all of it", id="own words"
        ),
    ],
)
def test_what_keeps_a_container_from_running(status: dict[str, Any], reason: str, message: str) -> None:
    found = trouble(status)
    assert found is not None
    assert found.reason == reason
    assert found.message == message or not message


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"ready": True, "lastState": {"terminated": {"exitCode": 1}}}, id="ready again"),
        pytest.param({"ready": False}, id="nothing known"),
        pytest.param(_waiting("PodInitializing"), id="on its way"),
        pytest.param({"name": "app", "ready": False, "state": {"terminated": {"exitCode": 0}}}, id="ended well, once"),
        pytest.param({"name": "app", "ready": False, "state": {"running": {}}, "lastState": {}}, id="not ready yet"),
    ],
)
def test_what_is_no_trouble(status: dict[str, Any]) -> None:
    assert trouble(status) is None


@pytest.mark.parametrize(
    "message",
    [
        PULL,
        f"rpc error: code = NotFound desc = {PULL}",
        f'Back-off pulling image "a:1": ErrImagePull: {PULL}',
        f'Back-off pulling image "a:1": ErrImagePull: rpc error: code = NotFound desc = {PULL}',
    ],
)
def test_a_failed_pull_says_the_same_while_it_is_tried_and_while_it_waits(message: str) -> None:
    assert pull_fault(message) == PULL


def test_a_kubelet_that_says_nothing_of_the_cause_gives_none() -> None:
    assert pull_fault('Back-off pulling image "a:1"') == ""
