"""How Wasm containers end on real containerds: by themselves, by a trap, by a limit, by a signal."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.node.test_guests import annotated, guest, run
from tests.support.containerd import Containerd
from tests.support.cri_configs import Mounted, PodSpec
from tests.support.pods import Pod
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]


@pytest.fixture
def pod(node: Containerd, origin: Zygote) -> Pod:
    return node.run(PodSpec("endings"), "wherry")


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The kubelet's file for a termination message."""
    path = tmp_path / "termination-log"
    path.touch()
    path.chmod(0o666)
    return path


# Traps


def test_a_backtrace_of_any_depth_fits_into_a_termination_message(pod: Pod, told: Path) -> None:
    container = run(pod, "wasm-hostile", "recurse", mounts=(Mounted(told, "/dev/termination-log"),))
    assert container.ended().exit_code == 134
    first, *frames = told.read_text().splitlines()
    assert first == "trap/stack-overflow: call stack exhausted"
    assert frames[0].startswith("deeper at ")
    assert "hostile.c:" in frames[0]
    assert len(told.read_bytes()) <= 4096


def test_the_termination_message_is_where_the_pod_wants_it_and_nobodys_mount(pod: Pod, told: Path) -> None:
    annotations = {"io.kubernetes.container.terminationMessagePath": "/var/log/last"}
    mounts = (Mounted(told, "/var/log/last"),)
    container = pod.start(guest("wasm-hostile", "divide", mounts=mounts, annotations=annotations, uid=65532, gid=65532))
    assert container.ended().exit_code == 134
    assert told.read_text().startswith("trap/divide-by-zero: integer divide by zero\ndivide at ")


def test_a_guest_that_ends_well_leaves_no_message(pod: Pod, told: Path) -> None:
    assert run(pod, "wasm-exit", "7", mounts=(Mounted(told, "/dev/termination-log"),)).ended().exit_code == 7
    assert told.read_bytes() == b""


# Limits


@pytest.mark.parametrize(("way", "limits", "line"), [
    ("loop", {"timeout": 0.3}, "limit/timeout: the guest ran longer than its 0.3 s"),
    ("sleep", {"timeout": 0.3}, "limit/timeout: the guest ran longer than its 0.3 s"),
    ("flood", {"timeout": 0.3}, "limit/timeout: the guest ran longer than its 0.3 s"),
    ("loop", {"fuel": 1_000_000}, "limit/fuel: the guest used up its fuel"),
])  # fmt: skip
def test_a_limit_ends_a_guest_whatever_it_does(
    node: Containerd, told: Path, way: str, limits: dict[str, float], line: str
) -> None:
    pod = node.run(annotated("wasm-hostile", limits=limits), "wherry")
    beside = node.run(PodSpec("beside"), "wherry")
    container = run(pod, "wasm-hostile", way, mounts=(Mounted(told, "/dev/termination-log"),))
    good = run(beside, "wasm-exit", "3")
    assert (good.ended().exit_code, container.ended().exit_code) == (3, 124)
    assert told.read_text().splitlines()[0] == line


def test_a_guest_gets_no_more_memory_than_its_plan_grants(node: Containerd) -> None:
    pod = node.run(annotated("wasm-hostile", limits={"memory": 32 << 20}), "wherry")
    container = run(pod, "wasm-hostile", "grow")
    assert container.ended().exit_code == 3
    refused = int(container.says("memory refused after").split()[-2])
    assert refused < 32


def test_a_guest_that_takes_more_than_its_pod_may_is_oom_killed(node: Containerd) -> None:
    pod = node.run(annotated("wasm-hostile", limits={"memory": 512 << 20}), "wherry")
    ended = run(pod, "wasm-hostile", "touch", memory=64 << 20).ended()
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


# Signals


@pytest.mark.parametrize(("image", "way"), [("wasm-hold", ""), ("wasm-hostile", "loop"), ("wasm-hostile", "flood-log")])
def test_sigterm_ends_a_command_at_once(pod: Pod, image: str, way: str, told: Path) -> None:
    container = run(pod, image, way, mounts=(Mounted(told, "/dev/termination-log"),))
    assert container.stop(grace=100).exit_code == 143
    assert told.read_bytes() == b""


def test_a_guest_without_grace_is_killed(pod: Pod) -> None:
    container = run(pod, "wasm-hold")
    container.says("holding")
    assert container.stop(grace=0).exit_code == 137


def test_a_worker_that_does_not_listen_is_killed_after_its_grace(pod: Pod) -> None:
    container = run(pod, "wasm-hold")
    os.kill(container.pid, signal.SIGSTOP)
    assert container.stop(grace=1).exit_code == 137


def test_a_container_that_was_never_started_is_removed(pod: Pod) -> None:
    container = pod.create(guest("wasm-hold"))
    container.remove()
    assert run(pod, "wasm-exit", "2", attempt=1).ended().exit_code == 2
