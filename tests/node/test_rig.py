"""The rig itself, with nothing but plain runc: what is later said of `wherry` is worth as much as this."""

from __future__ import annotations

import os
import signal
import urllib.request

import pytest

from tests.support import images
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, Mounted, PodSpec
from tests.support.pods import Pod, until
from tests.support.ports import free_port

pytestmark = [pytest.mark.peer, pytest.mark.slow]

WORK = images.reference("work")
HTTPD = ContainerSpec(images.reference("httpd"), name="web")
"""Listens on 8080."""


@pytest.fixture
def pod(node: Containerd) -> Pod:
    return node.run(PodSpec("rig"), "runc")


def answer(address: str, port: int = 8080) -> str:
    with urllib.request.urlopen(f"http://{address}:{port}/", timeout=30) as response:
        return str(response.read().decode())


def test_it_is_the_containerd_that_was_asked_for(node: Containerd, version: str) -> None:
    assert node.cri.version().startswith(f"containerd {version}".replace("containerd 2", "containerd v2"))


def test_a_container_writes_its_log_and_ends_with_its_own_code(pod: Pod) -> None:
    container = pod.start(ContainerSpec(WORK, args=("exit", "42")))
    ended = container.ended()
    assert (ended.exit_code, ended.reason) == (42, "Error")
    assert (container.out(), container.out("stderr")) == ("", "leaving\n")


def test_a_container_has_the_environment_and_files_that_it_was_given(
    pod: Pod, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("volume")
    (folder / "note").write_text("from the volume\n")
    volume = Mounted(folder, "/data", readonly=True)
    reader = pod.start(ContainerSpec(WORK, args=("cat", "/data/note"), name="reader", mounts=(volume,)))
    writer = pod.start(ContainerSpec(WORK, args=("write", "/data/note", "x"), name="writer", mounts=(volume,)))
    shower = pod.start(ContainerSpec(WORK, name="shower", env={"GREETING": "Ahoy there"}))
    assert (reader.ended().exit_code, reader.out()) == (0, "from the volume\n")
    assert writer.ended().exit_code == 1
    assert "Read-only file system" in writer.out("stderr")
    assert shower.ended().exit_code == 0
    assert "GREETING=Ahoy there" in shower.out().splitlines()


def test_too_much_memory_is_an_oom_kill(pod: Pod) -> None:
    container = pod.start(ContainerSpec(WORK, args=("allocate", "200"), memory=32 << 20))
    ended = container.ended()
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_sigkill_follows_when_the_grace_period_is_over(pod: Pod) -> None:
    container = pod.start(ContainerSpec(WORK, args=("ignore-term",)))
    container.says("ignoring")
    assert container.stop(grace=1).exit_code == 137


def test_sigterm_is_enough_for_a_container_that_listens_to_it(pod: Pod) -> None:
    container = pod.start(ContainerSpec(images.reference("hold")))
    container.says("holding")
    assert container.stop(grace=60).exit_code == 0


def test_statistics_count_the_memory_that_was_allocated(pod: Pod) -> None:
    container = pod.start(ContainerSpec(WORK, args=("allocate", "40")))
    container.says("allocated")
    assert 40 << 20 < container.stats().memory.working_set_bytes.value < 60 << 20
    assert container.id in {each.attributes.id for each in pod.cri.all_stats()}
    until(lambda: pod.stats().memory.working_set_bytes.value > 40 << 20)


def test_a_pod_answers_http_under_its_own_address_and_under_a_port_of_the_host(node: Containerd) -> None:
    port = free_port()
    pod = node.run(PodSpec("web", ports=((port, 8080),)), "runc")
    pod.start(HTTPD).says("listening")
    assert answer(pod.ip) == "hello\n"
    assert answer("127.0.0.1", port) == "hello\n"
    assert any(line.startswith("rule ") for line in node.leftovers())


def test_containers_of_a_pod_meet_on_localhost(pod: Pod) -> None:
    pod.start(HTTPD).says("listening")
    side = pod.start(ContainerSpec(WORK, args=("get", "127.0.0.1", "8080"), name="side"))
    assert side.ended().exit_code == 0
    assert side.out().endswith("hello\n")


def test_a_command_runs_in_a_container_and_its_code_is_passed_on(pod: Pod) -> None:
    container = pod.start(HTTPD)
    container.says("listening")
    assert container.exec("/httpd", "8080").code == 1
    with pytest.raises(CriError, match="no such file"):
        container.exec("/no-such-program")


def test_a_rotated_log_goes_on_in_a_new_file(pod: Pod) -> None:
    container = pod.start(ContainerSpec(images.reference("hold")))
    container.says("holding")
    assert "holding" in container.rotate_log().read_text()
    assert container.lines() == []
    container.stop()


def test_pods_run_on_while_containerd_is_away_however_it_went(node: Containerd, pod: Pod) -> None:
    web = pod.start(HTTPD)
    web.says("listening")
    address = pod.ip
    for end in (Containerd.terminate, Containerd.kill):
        end(node)
        assert answer(address) == "hello\n"
        node.start()
        assert web.status().state == "running"
        assert pod.ready
    assert pod.start(ContainerSpec(WORK, args=("exit", "3"))).ended().exit_code == 3


def test_a_container_that_ends_while_containerd_is_away_is_known_to_have_ended(node: Containerd, pod: Pod) -> None:
    """containerd itself forgets how: it takes runc's shim for a leaked one and deletes the task."""
    container = pod.start(ContainerSpec(WORK, args=("ignore-term",)))
    container.says("ignoring")
    pid = container.pid
    node.kill()
    os.kill(pid, signal.SIGKILL)
    node.start()
    assert container.ended().exit_code in {137, 255}


def test_everything_that_a_pod_makes_is_seen_as_long_as_it_runs(node: Containerd, pod: Pod) -> None:
    pod.start(HTTPD).says("listening")
    kinds = {line.split()[0] for line in node.leftovers()}
    assert kinds == {"process", "mount", "cgroup", "link", "file"}
    pod.remove()
    node.wait_until_clean()
