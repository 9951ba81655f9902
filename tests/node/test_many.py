"""Many pods at once on real containerds. WHERRY_PODS says how many, 20 without it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.node.test_guests import guest
from tests.support.containerd import Containerd
from tests.support.cri_configs import PodSpec

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]

COUNT = int(os.environ.get("WHERRY_PODS", "20"))


def test_pods_that_are_made_at_once_run_and_end_each_for_itself(node: Containerd) -> None:
    def lived(number: int) -> int:
        pod = node.run(PodSpec(f"pod-{number}"), "wherry")
        code = pod.start(guest("wasm-exit", str(number % 100))).ended().exit_code
        pod.remove()
        return code

    with ThreadPoolExecutor(COUNT) as threads:
        codes = list(threads.map(lived, range(COUNT)))
    assert codes == [number % 100 for number in range(COUNT)]
