"""Which code is compiled before it is asked for, and when."""

from __future__ import annotations

from typing import Any

import pytest

from wherry_agent.pods import Code, Pods
from wherry_agent.programs import Ended
from wherry_agent.warming import PATIENCE, Warming

IMAGE = f"registry.example.com/cart@sha256:{'a' * 64}"
CODE = Code(IMAGE, "{plan}")


def pod(phase: str = "Pending", **container: str) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": "cart", "uid": "u1", "annotations": {"plan.wherry.dev/app": "{plan}"}}
    containers = [{"name": "app", "image": IMAGE} | container, {"name": "side", "image": "envoy:1"}]
    return {"metadata": metadata, "spec": {"containers": containers}, "status": {"phase": phase}}


class Nothing:
    """Programs that are never run here."""

    async def install(self, *, proven: bool) -> Ended:
        raise NotImplementedError

    uninstall = prewarm = install


class Scene:
    def __init__(self) -> None:
        self.now, self.pods = 0.0, Pods()
        self.warming = Warming(self.pods, Nothing(), lambda: self.now)  # type: ignore[arg-type]

    def due_after(self, seconds: float, manifest: dict[str, Any]) -> list[Code]:
        self.pods.put(manifest)
        self.warming.due()
        self.now += seconds
        return self.warming.due()


def test_a_pod_that_waits_gets_its_code_and_one_that_starts_is_left_alone() -> None:
    assert Scene().due_after(PATIENCE - 1, pod()) == []
    assert Scene().due_after(PATIENCE, pod()) == [CODE]
    assert Scene().due_after(PATIENCE, pod("Running")) == []


@pytest.mark.parametrize(
    "container", [{"image": "registry.example.com/cart:v1"}, {"imagePullPolicy": "Never"}], ids=["a tag", "never"]
)
def test_an_image_that_the_kubelet_may_not_pull_or_may_pull_anew_is_left_to_it(container: dict[str, str]) -> None:
    assert Scene().due_after(PATIENCE, pod(**container)) == []


def test_a_pod_that_started_meanwhile_is_due_no_more() -> None:
    scene = Scene()
    scene.due_after(PATIENCE - 1, pod())
    assert scene.due_after(PATIENCE, pod("Running")) == []
