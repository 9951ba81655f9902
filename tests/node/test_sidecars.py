"""Ordinary containers in a Wasm pod, on real containerds: what they can do in a pod of runc's, they can do here."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest

from tests.support import images, programs
from tests.support.containerd import Containerd
from tests.support.cri import CriError
from tests.support.cri_configs import ContainerSpec, Mounted, PodSpec
from tests.support.pods import Container, Pod, until
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.usefixtures("origin")]

HOLD = "echo holding; trap 'exit 0' TERM; while :; do sleep 0.2; done"


def shell(command: str, name: str = "side", **given: Any) -> ContainerSpec:
    return ContainerSpec(images.reference(images.SHELL), args=(command,), name=name, **given)


def guest(image: str, *args: str, name: str = "app", **given: Any) -> ContainerSpec:
    return ContainerSpec(images.reference(image), command=("/app.wasm",), args=args, name=name, **given)


def crictl(node: Containerd, *arguments: str, **given: Any) -> subprocess.CompletedProcess[bytes]:
    command = [str(programs.tool("crictl")), f"--runtime-endpoint=unix://{node.settings.socket}", *arguments]
    return subprocess.run(command, capture_output=True, timeout=100, check=False, **given)


def ctr(node: Containerd, *arguments: str) -> str:
    binary = programs.containerd(node.version) / "ctr"
    command = [str(binary), f"--address={node.settings.socket}", "--namespace=k8s.io", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def pod(node: Containerd, origin: Zygote) -> Pod:
    return node.run(PodSpec("sidecars"), "wherry")


@pytest.fixture
def held(pod: Pod) -> Container:
    """An ordinary container that waits."""
    container = pod.start(shell(HOLD))
    container.says("holding")
    return container


# Execs


def test_a_command_in_a_container_has_its_own_streams_and_code(held: Container) -> None:
    done = held.exec("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")
    with pytest.raises(CriError, match="no such file") as caught:
        held.exec("/no-such-program")
    assert caught.value.details.count("\n") == 0


def test_a_command_that_takes_too_long_is_killed(held: Container, pod: Pod) -> None:
    with pytest.raises(CriError, match="timeout"):
        pod.cri.exec(held.id, ["sleep", "600"], seconds=1)
    assert held.status().state == "running"


def test_a_command_reads_what_is_typed_and_its_end(node: Containerd, held: Container) -> None:
    text = b"line\n" * 30_000  # more than a pipe holds
    done = crictl(node, "exec", "-i", held.id, "sh", "-c", "cat; exit 4", input=text)
    assert done.stdout == text
    assert b"exit status 4" in done.stderr or b"code 4" in done.stderr


def test_a_command_can_have_a_terminal_of_its_own_size(node: Containerd, held: Container) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "rows", "33", "cols", "99"], stdin=theirs, check=True)
    command = "until [ \"$(stty size)\" = '33 99' ]; do sleep 0.05; done; stty size; echo typed: $(head -n 1)"
    command = command.replace("head -n 1", "busybox head -n 1")
    arguments = ["exec", "-it", held.id, "sh", "-c", command]
    endpoint = f"--runtime-endpoint=unix://{node.settings.socket}"
    tool = str(programs.tool("crictl"))
    with subprocess.Popen([tool, endpoint, *arguments], stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while b"33 99" not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, b"hello\n")
        assert process.wait(60) == 0
    while b"typed: hello" not in seen:
        seen += os.read(ours, 4096)
    os.close(ours)


def test_a_command_ends_with_its_container(node: Containerd, pod: Pod, held: Container) -> None:
    tool, endpoint = str(programs.tool("crictl")), f"--runtime-endpoint=unix://{node.settings.socket}"
    command = [tool, endpoint, "exec", held.id, "sh", "-c", "echo there; exec sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"there\n"
        assert held.stop(grace=0).exit_code == 137
        assert process.wait(60) != 0


# Terminals and input


def test_a_container_can_have_a_terminal(pod: Pod) -> None:
    container = pod.start(shell("test -t 0 && test -t 1 && echo yes; stty size", tty=True))
    assert container.ended().exit_code == 0
    assert "yes" in container.out()


def test_a_wasm_container_has_no_terminal(pod: Pod) -> None:
    with pytest.raises(CriError, match="a Wasm container has no terminal"):
        pod.start(guest("wasm-echo", tty=True))


@pytest.mark.parametrize("kind", ["wasm", "container"])
def test_input_arrives_once_and_ends(node: Containerd, pod: Pod, kind: str) -> None:
    spec = guest("wasm-relay", stdin=True) if kind == "wasm" else shell("echo ready; cat", stdin=True)
    container = pod.start(spec)
    container.says("ready")
    crictl(node, "attach", "-i", container.id, input=b"typed\n" * 20_000)
    assert container.ended().exit_code == 0
    assert container.out() == "ready\n" + "typed\n" * 20_000


# Logs


def test_nothing_is_lost_while_containerd_stands_still(node: Containerd, pod: Pod, tmp_path: Path) -> None:
    """Three times what a pipe holds: the container waits."""
    wait = "echo begun; until [ -e /go/go ]; do sleep 0.05; done"
    command = f"{wait}; busybox yes 0123456789abcdef | busybox head -n 12000; echo over"
    container = pod.start(shell(command, mounts=(Mounted(tmp_path, "/go"),)))
    container.says("begun")
    os.kill(node.pid, signal.SIGSTOP)
    try:
        (tmp_path / "go").touch()
        until(lambda: _waits_for_a_pipe(node), 60)
    finally:
        os.kill(node.pid, signal.SIGCONT)
    assert container.ended().exit_code == 0
    assert container.out() == "begun\n" + "0123456789abcdef\n" * 12_000 + "over\n"


def test_a_guest_waits_while_containerd_stands_still(node: Containerd, pod: Pod) -> None:
    """What it cannot write on it does not read: both pipes are full, and all of it is in the log in the end."""
    container = pod.start(guest("wasm-relay", stdin=True))
    container.says("ready")
    line = b"0123456789abcde\n"
    pid, sent = container.pid, 0
    with open(_stdin_of(container), "wb", buffering=0, opener=_not_waiting) as fifo:
        os.kill(node.pid, signal.SIGSTOP)
        try:
            while not _writes_to_a_pipe(pid):
                sent += fifo.write(line) or 0
                assert sent < 1 << 20
            while (taken := fifo.write(line)) is not None:
                sent += taken
                assert sent < 1 << 20
        finally:
            os.kill(node.pid, signal.SIGCONT)
    assert sent > 1 << 16
    until(lambda: container.out() == "ready\n" + line.decode() * (sent // len(line)))


def _not_waiting(path: str, _flags: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_NONBLOCK)


def _writes_to_a_pipe(pid: int) -> bool:
    """Whether one of its threads cannot write on."""
    return any("pipe_write" in path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/wchan"))


def _waits_for_a_pipe(node: Containerd) -> bool:
    """Whether the container's writer can write no more."""
    writers = [pid for pid in node.traces.pids() if "head" in _command(pid) and "yes" not in _command(pid)]
    return any("pipe_write" in Path(f"/proc/{pid}/wchan").read_text() for pid in writers)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("kind", ["wasm", "container"])
def test_what_is_written_before_the_end_is_logged_by_the_next_containerd(
    node: Containerd, pod: Pod, kind: str, tmp_path: Path
) -> None:
    """It writes and ends while there is no containerd."""
    if kind == "wasm":
        container = pod.start(guest("wasm-relay", stdin=True))
        container.says("ready")
        fifo = _stdin_of(container)
    else:
        (tmp_path / "go").touch()
        mount = Mounted(tmp_path, "/go")
        container = pod.start(shell("echo ready; while [ -e /go/go ]; do sleep 0.05; done; echo last", mounts=(mount,)))
        container.says("ready")
        fifo = None
    pid = container.pid
    node.kill()
    if fifo:
        descriptor = os.open(fifo, os.O_WRONLY)
        os.write(descriptor, b"last\n")
        os.close(descriptor)
        until(lambda: _unread(pid, 1) == len(b"last\n"))
        os.kill(pid, signal.SIGKILL)
    else:
        (tmp_path / "go").unlink()
    until(lambda: not Path(f"/proc/{pid}").exists())
    node.start()
    assert container.ended().exit_code == (137 if kind == "wasm" else 0)
    container.says("last", 20)
    assert container.out() == "ready\nlast\n"


def _stdin_of(container: Container) -> str:
    return os.readlink(f"/proc/{container.pid}/fd/0")


def _unread(pid: int, number: int) -> int:
    with open(f"/proc/{pid}/fd/{number}", "rb") as fifo:
        return int.from_bytes(fcntl.ioctl(fifo, termios.FIONREAD, bytes(4)), "little")


def test_a_rotated_log_goes_on_in_a_new_file(pod: Pod, tmp_path: Path) -> None:
    mount = Mounted(tmp_path, "/go")
    container = pod.start(shell("echo old; until [ -e /go/go ]; do sleep 0.05; done; echo new", mounts=(mount,)))
    container.says("old")
    assert "old" in container.rotate_log().read_text()
    (tmp_path / "go").touch()
    container.ended()
    assert container.out() == "new\n"


# Endings


def test_a_container_that_takes_too_much_is_oom_killed(pod: Pod) -> None:
    spec = ContainerSpec(images.reference("work"), args=("allocate", "200"), memory=32 << 20, name="side")
    ended = pod.start(spec).ended()
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")


def test_a_child_that_is_oom_killed_is_the_reason_of_the_end(pod: Pod) -> None:
    command = "busybox dd if=/dev/zero of=/dev/null bs=200M count=1; echo lived on; exit 5"
    ended = (container := pod.start(shell(command, memory=32 << 20))).ended()
    assert "lived on" in container.out()
    assert (ended.exit_code, ended.reason) == (5, "OOMKilled")


def test_a_command_that_does_not_exist_is_one_sentence_and_leaves_nothing(pod: Pod, node: Containerd) -> None:
    with pytest.raises(CriError, match="no-such-program") as caught:
        pod.start(ContainerSpec(images.reference("work"), command=("/no-such-program",), name="side"))
    assert caught.value.details.count("\n") == 0
    pod.remove()
    node.wait_until_clean()


def test_what_a_container_leaves_in_a_shared_pid_namespace_ends_with_it(node: Containerd) -> None:
    pod = node.run(PodSpec("shared", share_processes=True), "wherry")
    container = pod.start(shell("busybox setsid sleep 600 & echo begun; sleep 0.2; exit 6"))
    assert container.ended().exit_code == 6
    until(lambda: not any("sleep" in _command(pid) for pid in node.traces.pids()))


# The pod


def test_init_containers_of_either_kind_prepare_a_volume(pod: Pod, tmp_path: Path) -> None:
    volume = Mounted(tmp_path, "/data")
    first = pod.start(guest("wasm-files", "write", "/data/a", "by wasm", name="init-1", mounts=(volume,)))
    assert first.ended().exit_code == 0
    second = pod.start(shell("cat /data/a; echo ' and by a shell' >>/data/a", "init-2", mounts=(volume,)))
    assert second.ended().exit_code == 0
    third = pod.start(guest("wasm-files", "read", "/data/a", mounts=(volume,)))
    assert third.ended().exit_code == 0
    assert third.out() == "by wasm and by a shell\n"


@pytest.mark.parametrize("kind", ["wasm", "container"])
def test_limits_are_changed_in_place(pod: Pod, kind: str) -> None:
    given: dict[str, Any] = {"memory": 64 << 20, "cpu": 0.5}
    container = pod.start(guest("wasm-hold", **given) if kind == "wasm" else shell(HOLD, **given))
    container.says("holding")
    container.update(memory_limit_in_bytes=96 << 20, cpu_quota=70_000, cpu_period=100_000)
    cgroups = dict(line.split(":", 2)[1:] for line in Path(f"/proc/{container.pid}/cgroup").read_text().splitlines())
    memory = Path(f"/sys/fs/cgroup/memory{cgroups['memory']}/memory.limit_in_bytes")
    cpu = next(path for name, path in cgroups.items() if "cpu" in name.split(","))
    assert int(memory.read_text()) == 96 << 20
    assert int(Path(f"/sys/fs/cgroup/cpu{cpu}/cpu.cfs_quota_us").read_text()) == 70_000


@pytest.mark.parametrize("kind", ["wasm", "container"])
def test_a_container_can_be_paused_and_goes_on(node: Containerd, pod: Pod, kind: str) -> None:
    container = pod.start(guest("wasm-hold") if kind == "wasm" else shell(HOLD))
    container.says("holding")
    ctr(node, "tasks", "pause", container.id)
    assert "PAUSED" in ctr(node, "tasks", "ls")
    ctr(node, "tasks", "resume", container.id)
    assert "PAUSED" not in ctr(node, "tasks", "ls")
    assert container.stop(grace=60).exit_code in {0, 143}


def test_statistics_count_each_container_and_the_pod(pod: Pod) -> None:
    container = pod.start(ContainerSpec(images.reference("work"), args=("allocate", "40"), name="side"))
    container.says("allocated")
    held = pod.start(guest("wasm-hold"))
    held.says("holding")
    for each, least in ((container, 40 << 20), (held, 1 << 16)):
        assert each.stats().memory.working_set_bytes.value > least
        assert each.stats().cpu.usage_core_nano_seconds.value > 0
    until(lambda: pod.stats().memory.working_set_bytes.value > 40 << 20)


# Loggers, which only a client of containerd's own API can ask for


@pytest.mark.parametrize("scheme", ["file", "binary"])
def test_a_container_can_write_to_a_file_or_a_program(node: Containerd, scheme: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = tmp_path / "logger"
    program.write_text(f'#!/bin/sh\nexec 5>&-\necho "$CONTAINER_ID $*" >{tmp_path}/told\nexec /bin/cat <&3 >{out}\n')
    program.chmod(0o755)
    uri = f"file://{out}" if scheme == "file" else f"binary://{program}?key=value"
    image = images.reference("hello")
    arguments = ["run", "--rm", "--runtime", "io.containerd.wherry.v1", "--log-uri", uri, "--cgroup"]
    ctr(node, *arguments, f"{node.cgroup_parent}/{scheme}", image, f"{scheme}-logged")
    until(lambda: out.exists() and out.read_text())
    assert "hello" in out.read_text().lower()
    if scheme == "binary":
        assert (tmp_path / "told").read_text() == "binary-logged key value\n"
    assert ctr(node, "containers", "ls", "--quiet") == ""
