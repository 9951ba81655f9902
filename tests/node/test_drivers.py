"""Guests under either cgroup driver, in this machine's version of cgroups; tests/node/in-vm has version 2."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.test_confinement import status
from tests.node.test_guests import annotated, get, guest, listens
from tests.support import images, processes, programs
from tests.support.containerd import Containerd, containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, PodSpec
from tests.support.pods import Container, Pod, until
from tests.support.registry import Registry
from wherry_shim.linux.cgroup import open_cgroup
from wherry_shim.linux.cgroup.hierarchy import hierarchies
from wherry_shim.linux.cgroup.interface import Cgroup

pytestmark = [pytest.mark.peer, pytest.mark.slow]

MIB = 1 << 20
UNIFIED = hierarchies(Path("/proc/self/mountinfo").read_text()).unified
needs_version_2 = pytest.mark.skipif(not UNIFIED, reason="needs cgroup v2: run it by tests/node/in-vm")


CLONER = """
import os, sys
from wherry_shim.linux.clone import clone
home = os.open(sys.argv[1], os.O_RDONLY)
sys.stdin.read(1)
try:
    clone() or os._exit(0)
except BlockingIOError:
    pid = clone(0, home)
    if not pid:
        os._exit(open("/proc/self/cgroup").read().rstrip().endswith("/home"))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.fixture(scope="module", params=["cgroupfs", "systemd"])
def daemon(request: pytest.FixtureRequest, node_registry: Registry) -> Iterator[Containerd]:
    """A containerd whose pods' cgroups are made by this driver."""
    systemd = request.param == "systemd"
    if systemd and not os.path.isdir("/run/systemd/system"):
        pytest.skip("needs systemd: run it by tests/node/in-vm")
    with containerd(programs.VERSIONS[-1], {images.HOST: node_registry.host}, images.PAUSE, systemd=systemd) as node:
        for name in ("wasm-hold", "wasm-hostile", "wasm-http", "httpd"):
            node.cri.pull(images.reference(name))
        node.start_zygote()
        yield node


@pytest.fixture
def node(daemon: Containerd) -> Iterator[Containerd]:
    """It has no pod; a test that leaves anything on the machine, a scope or its anchor among them, fails."""
    yield daemon
    daemon.purge()
    daemon.wait_until_clean(60)


@pytest.fixture
def pod(node: Containerd) -> Pod:
    return node.run(PodSpec("app"), "wherry")


def holding(pod: Pod, spec: ContainerSpec | None = None) -> Container:
    container = pod.start(spec or guest("wasm-hold"))
    container.says("holding")
    return container


def cgroup_of(container: Container) -> Cgroup:
    """As containerd asked for it."""
    info = json.loads(container.pod.cri.details(container.id)["info"])
    return open_cgroup(info["runtimeSpec"]["linux"]["cgroupsPath"])


def eater(node: Containerd, **resources: object) -> Container:
    """A guest whose module may have more memory than its container."""
    pod = node.run(annotated("wasm-hostile", limits={"memory": 1 << 30}), "wherry")
    return pod.start(guest("wasm-hostile", "touch", memory=64 * MIB, **resources))


def test_a_worker_is_in_its_containers_cgroup_and_the_holder_in_the_pods(pod: Pod) -> None:
    container = holding(pod)
    found = cgroup_of(container)
    lines = Path(f"/proc/{container.pid}/cgroup").read_text().splitlines()
    assert f":{found.path}" in "\n".join(line for line in lines if UNIFIED or ":memory:" in line)
    assert container.pid in found.pids()
    info = json.loads(
        pod.cri.call("RuntimeService", "PodSandboxStatus", pod_sandbox_id=pod.id, verbose=True).info["info"]
    )
    sandbox = open_cgroup(info["runtimeSpec"]["linux"]["cgroupsPath"])
    assert info["pid"] in sandbox.pids()


def test_statistics_of_a_container_and_of_its_pod_are_plausible(pod: Pod) -> None:
    container = holding(pod)
    until(lambda: container.stats().cpu.usage_core_nano_seconds.value > 0)
    said = container.stats()
    assert MIB // 4 < said.memory.working_set_bytes.value < 64 * MIB
    assert 0 < said.cpu.usage_core_nano_seconds.value < 60e9
    whole = until(lambda: stats if (stats := pod.stats()).memory.working_set_bytes.value else None)
    assert MIB // 4 < whole.memory.working_set_bytes.value < 128 * MIB
    assert whole.cpu.usage_core_nano_seconds.value > 0


def test_limits_are_the_kernels_and_change_in_place(pod: Pod) -> None:
    container = holding(pod, guest("wasm-hold", memory=96 * MIB, cpu=0.5))
    cgroup = cgroup_of(container)
    assert cgroup.statistics().memory.limit == 96 * MIB
    container.update(memory_limit_in_bytes=128 * MIB, cpu_period=100_000, cpu_quota=75_000)
    assert cgroup.statistics().memory.limit == 128 * MIB
    if UNIFIED:
        assert Path(cgroup.directories[0], "cpu.max").read_text() == "75000 100000\n"
    assert container.status().state == "running"


def test_a_command_that_takes_too_much_is_oom_killed(node: Containerd) -> None:
    ended = eater(node).ended()
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


@needs_version_2
def test_a_child_is_born_in_its_cgroup_and_never_counted_in_its_parents() -> None:
    """The parent's has no room for another process."""
    above = f"/wherrytest-{uuid.uuid4().hex[:8]}"
    full, home = open_cgroup(f"{above}/full"), open_cgroup(f"{above}/home")
    home.create({})
    command = [sys.executable, "-c", CLONER, home.directories[0]]
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as cloner:
            full.create({"pids": {"limit": 1}})
            full.join(cloner.pid)
            cloner.communicate("x", timeout=60)
        assert cloner.returncode == 1
    finally:
        for each in (full, home):
            each.remove()
        Path(home.directories[0]).parent.rmdir()


@needs_version_2
def test_with_the_kubelets_oom_group_all_of_a_guest_ends_and_the_reason_is_still_known(node: Containerd) -> None:
    container = eater(node, unified={"memory.oom.group": "1"})
    ended = container.ended()
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


@needs_version_2
def test_a_service_ends_as_a_whole_when_memory_is_wanting(node: Containerd) -> None:
    """A limit below what it uses is one that the kernel enforces at once."""
    pod = node.run(annotated("wasm-http", "http"), "wherry")
    container = pod.start(guest("wasm-http", memory=128 * MIB, unified={"memory.oom.group": "1"}))
    until(lambda: listens(pod.ip))
    assert get(pod.ip)
    assert Path(cgroup_of(container).directories[0], "memory.oom.group").read_text() == "1\n"
    Path(cgroup_of(container).directories[0], "memory.max").write_text(str(MIB // 2))
    ended = container.ended()
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_a_paused_guest_stands_still_and_goes_on_and_dies_when_it_is_killed(node: Containerd, pod: Pod) -> None:
    container = holding(pod)
    task = [str(programs.containerd(node.version) / "ctr"), "-a", str(node.settings.socket), "-n", "k8s.io", "tasks"]
    cgroup = cgroup_of(container)
    assert os.spawnv(os.P_WAIT, task[0], [*task, "pause", container.id]) == 0
    frozen = [Path(folder, name) for folder in cgroup.directories for name in ("cgroup.freeze", "freezer.state")]
    assert {"1", "FROZEN"} & {each.read_text().strip() for each in frozen if each.exists()}
    assert os.spawnv(os.P_WAIT, task[0], [*task, "resume", container.id]) == 0
    assert not {"1", "FROZEN"} & {each.read_text().strip() for each in frozen if each.exists()}
    os.kill(container.pid, signal.SIGKILL)
    assert container.ended().exit_code == 137


def test_an_ordinary_container_beside_a_guest_is_in_the_cgroup_that_containerd_named(pod: Pod) -> None:
    guest_ = holding(pod)
    side = pod.start(ContainerSpec(images.reference("httpd"), name="web", memory=48 * MIB))
    side.says("listening")
    assert side.pid in cgroup_of(side).pids()
    assert cgroup_of(side).statistics().memory.limit == 48 * MIB
    assert os.path.dirname(cgroup_of(side).path) == os.path.dirname(cgroup_of(guest_).path)
    assert side.stop().state == "exited"


def test_pods_outlive_their_host_by_nothing(node: Containerd, pod: Pod) -> None:
    """The host is killed: `delete` goes by the list that was written before."""
    container = holding(pod)
    cgroup = cgroup_of(container)
    os.kill(int(status(container.pid)["PPid"]), signal.SIGKILL)
    container.ended()
    until(lambda: not any(map(os.path.exists, cgroup.directories)), 60)
    assert not processes.is_alive(container.pid)


@pytest.mark.skipif(os.path.isdir("/run/systemd/system"), reason="needs a machine without systemd, such as a container")
def test_a_slice_without_systemd_is_refused_by_one_sentence_and_leaves_nothing(node: Containerd) -> None:
    spec = PodSpec("app")
    config = node.cri.message("PodSandboxConfig", **spec.config(node.folder / "logs", "/wherrytest.slice"))
    with pytest.raises(CriError, match="systemd cannot be reached by") as caught:
        node.cri.run_pod("wherry", config)
    assert "SystemdCgroup = false" in caught.value.details
    assert "Traceback" not in caught.value.details
