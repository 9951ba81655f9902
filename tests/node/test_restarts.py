"""containerd ends and comes again while pods run, start and end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from tests.support import images, processes
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, PodSpec
from tests.support.pods import Container, Pod, until

pytestmark = [pytest.mark.peer, pytest.mark.slow]

HOLDS = ContainerSpec(images.reference("wasm-hold"), command=("/app.wasm",))
HTTPD = ContainerSpec(images.reference("httpd"), name="web")
PARALLEL, PATIENCE = 100, 5


def exits(code: int, name: str = "app") -> ContainerSpec:
    return ContainerSpec(images.reference("wasm-exit"), command=("/app.wasm",), args=(str(code),), name=name)


@pytest.fixture(params=[Containerd.terminate, Containerd.kill], ids=["terminated", "killed"])
def end(request: pytest.FixtureRequest) -> Callable[[Containerd], None]:
    ending: Callable[[Containerd], None] = request.param
    return ending


@pytest.fixture(autouse=True)
def _zygote(node: Containerd) -> Iterator[None]:
    node.start_zygote(WHERRY_PODS_PER_HOST="8", WHERRY_LINGER="1")
    yield
    node.purge()
    node.sweep_networks()


@contextmanager
def load(node: Containerd) -> Iterator[None]:
    """Pods are made and removed all the while, whether or not anybody answers."""
    over = Event()

    def churn(number: int) -> None:
        count = 0
        while not over.is_set():
            count += 1
            with suppress(CriError):
                pod = node.run(PodSpec(f"load{number}-{count}"), "wherry")
                pod.start(exits(0)).ended(30)
                pod.remove()

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(churn, number) for number in range(2)]
        try:
            yield
        finally:
            over.set()
            for each in working:
                each.result()


def test_pods_run_on_and_what_ended_meanwhile_is_told(node: Containerd, end: Callable[[Containerd], None]) -> None:
    pods = [node.run(PodSpec(f"pod{number}"), "wherry") for number in range(3)]
    containers = [pod.start(HOLDS) for pod in pods]
    sidecar = pods[0].start(HTTPD)
    pids = [each.pid for each in (*containers, sidecar)]
    with load(node):
        end(node)
        processes.kill(pids[1])
        until(lambda: not processes.is_alive(pids[1]))
        node.start()
        until(lambda: containers[1].status().state == "exited")
        assert containers[1].status().exit_code == 137
        late = [pod.start(exits(3, "late")) for pod in pods]
        assert {each.ended().exit_code for each in late} == {3}
    assert [each.status().state for each in (containers[0], containers[2], sidecar)] == ["running"] * 3
    assert [processes.is_alive(pid) for pid in pids] == [True, False, True, True]
    assert all(pod.ready for pod in pods)
    assert containers[0].stop().exit_code == 143


def test_an_end_of_its_own_while_containerd_is_away_is_told_as_it_was(node: Containerd) -> None:
    pod = node.run(PodSpec("pod"), "wherry")
    container = pod.start(HOLDS)
    pid = container.pid
    node.kill()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not processes.is_alive(pid))
    node.start()
    assert container.ended().exit_code == 143


def started(pod: Pod, spec: ContainerSpec) -> Container:
    """As a kubelet does: a new attempt for one that was refused because containerd is too busy to answer us."""
    for attempt in range(PATIENCE):
        container = pod.create(replace(spec, attempt=attempt))
        try:
            container.start()
        except CriError as fault:
            if "the kubelet tries again" not in fault.details:
                raise
            container.remove()
        else:
            return container
    raise AssertionError(f"refused {PATIENCE} times")


def test_a_hundred_pods_in_parallel(node: Containerd) -> None:
    def life(number: int) -> int:
        pod = node.run(PodSpec(f"many{number}"), "wherry")
        code = started(pod, exits(number % 50)).ended().exit_code
        pod.remove()
        return code

    with ThreadPoolExecutor(PARALLEL) as pool:
        assert list(pool.map(life, range(PARALLEL))) == [number % 50 for number in range(PARALLEL)]


def test_a_full_cache_fails_one_container_and_no_other(node: Containerd, tmp_path: Path) -> None:
    tiny = tmp_path / "cache"
    tiny.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tiny], check=True)
    try:
        witness: Container = node.run(PodSpec("witness"), "wherry").start(HOLDS)
        node.start_zygote(WHERRY_CACHE=str(tiny), WHERRY_PODS_PER_HOST="1")  # a new host has the new settings
        (tiny / "full").write_bytes(bytes(60 << 10))
        pod = node.run(PodSpec("fresh"), "wherry")
        with pytest.raises(CriError, match="No space left on device"):
            pod.start(exits(1))
        (tiny / "full").unlink()
        assert witness.status().state == "running"
        pod.remove()
    finally:
        subprocess.run(["umount", "--lazy", tiny], check=True)
        node.zygote.end()
