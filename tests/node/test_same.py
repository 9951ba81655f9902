"""WASI answers in a pod as in a run of the engine on this machine, to modules and to components."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.test_wasi import run_in
from tests.node.test_guests import run
from tests.support import images
from tests.support.commands import Outcome, ours
from tests.support.containerd import Containerd
from tests.support.cri_configs import Mounted, PodSpec
from wherry.plan.ending import Ending
from wherry.plan.model import RunPlan

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]

GROUPS = ("arguments", "clocks", "reading", "writing", "listing", "folders", "links", "escapes", "waiting")


@pytest.mark.parametrize("image", ["wasm-wasi", "wasm-component"])
def test_a_group_of_functions_answers_in_a_pod_as_in_the_engine(node: Containerd, image: str, tmp_path: Path) -> None:
    pod = node.run(PodSpec("same"), "wherry")
    for attempt, group in enumerate(GROUPS):

        def in_a_pod(plan: RunPlan, _stdin: bytes, attempt: int = attempt) -> Outcome:
            mounts = tuple(Mounted(Path(mount.host), mount.guest) for mount in plan.mounts)
            container = run(pod, image, *plan.argv[1:], env=dict(plan.env), mounts=mounts, attempt=attempt)
            code = container.ended().exit_code
            return Outcome(Ending(code), container.out().encode(), container.out("stderr").encode())

        guest = images.WASM[image]()
        expected = run_in(ours, tmp_path / f"{group}-ours", guest, group)
        assert expected[1], group
        assert run_in(in_a_pod, tmp_path / f"{group}-pod", guest, group) == expected, group
