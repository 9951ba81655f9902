"""The launcher in every shell, with a zygote, without one, and with one that dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support import launchers, programs
from tests.support.launchers import SHELLS, Caller, asked, bundle, children, ended
from tests.support.node_leftovers import CGROUPS, hierarchies
from tests.support.pods import until
from tests.support.zygote import Zygote
from wherry_shim import undo
from wherry_shim.launcher import PROGRAM
from wherry_shim.proto.bootstrap_pb2 import BootstrapParams, BootstrapResult
from wherry_shim.proto.runtime_info_pb2 import RuntimeInfo
from wherry_shim.proto.task_pb2 import DeleteResponse
from wherry_shim.reply import Launcher

GONE = "the zygote ended before it answered"


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with launchers.lone_zygote(tmp_path_factory.mktemp("zygote")) as one:
        yield one


@pytest.fixture
def running(zygote: Zygote) -> Zygote:
    zygote.start()
    return zygote


@pytest.fixture(params=SHELLS)
def caller(request: pytest.FixtureRequest, zygote: Zygote) -> Caller:
    programs.installed(request.param)
    return Caller(request.param, zygote.state)


@pytest.fixture
def alone(caller: Caller, tmp_path: Path) -> Caller:
    """On a node where no zygote has run."""
    return Caller(caller.shell, tmp_path / "no-zygote")


# What it says of itself


def test_info_is_a_runtime_info_with_the_packages_version(alone: Caller, tmp_path: Path) -> None:
    done = alone.call("-info", cwd=tmp_path)
    info = RuntimeInfo.FromString(done.stdout)
    assert (info.name, info.version.version) == ("io.containerd.wherry.v1", version("wherry"))
    assert (done.returncode, done.stderr) == (0, b"")


def test_info_is_right_for_a_longer_version_too(caller: Caller, tmp_path: Path) -> None:
    other = tmp_path / "launcher"
    other.write_text(PROGRAM.read_text().replace(f"version={version('wherry')}\n", "version=10.20.30-rc.1\n"))
    command = [*SHELLS[caller.shell], str(other), "-info"]
    done = subprocess.run(command, executable=programs.installed(caller.shell), capture_output=True, check=True)
    assert RuntimeInfo.FromString(done.stdout).version.version == "10.20.30-rc.1"


def test_v_is_a_line_with_the_packages_version(alone: Caller, tmp_path: Path) -> None:
    done = alone.call("-v", cwd=tmp_path)
    assert done.stdout.decode() == f"containerd-shim-wherry-v1 {version('wherry')}\n"


@pytest.mark.parametrize("arguments", [(), ("-namespace", "k8s.io"), ("stop",), ("--help",)])
def test_other_arguments_are_refused_by_a_sentence(alone: Caller, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = alone.call(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert b"expected start, delete, -info or -v" in done.stderr


def test_a_start_without_its_flags_is_told_what_is_missing(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    done = caller.call("start", cwd=tmp_path)
    assert done.returncode == 1
    assert b"expected -namespace, -address, -id" in done.stdout


# Without a zygote


def test_start_says_that_no_zygote_runs_and_what_to_do(alone: Caller, tmp_path: Path) -> None:
    done = alone.start(bundle(tmp_path, "pod"))
    assert done.returncode == 1
    assert b"the zygote does not run" in done.stderr
    assert b"start wherry-zygote.service" in done.stderr


def test_the_pid_of_a_stranger_is_no_zygote(alone: Caller, tmp_path: Path) -> None:
    alone.state.mkdir()
    for name in ("zygote.requests", "zygote.alive"):
        os.mkfifo(alone.state / name)
    (alone.state / "zygote.pid").write_text(f"{os.getpid()}\n")
    assert b"the zygote does not run" in alone.start(bundle(tmp_path, "pod")).stderr


def sleeper(folder: Path, name: str) -> Path:
    """A program that sleeps; its process bears the file's name."""
    return Path(shutil.copy(programs.installed("sleep"), folder / name))


def test_a_zygote_that_dies_before_it_is_asked_lets_nobody_wait(alone: Caller, tmp_path: Path) -> None:
    """It is up by its name, but nobody reads its FIFOs."""
    alone.state.mkdir()
    for name in ("zygote.requests", "zygote.alive"):
        os.mkfifo(alone.state / name)
    with subprocess.Popen([sleeper(tmp_path, "wherry-zygote"), "60"]) as impostor:
        (alone.state / "zygote.pid").write_text(f"{impostor.pid}\n")
        started = alone.start(bundle(tmp_path, "pod"))
        impostor.kill()
    assert GONE.encode() in started.stderr


@pytest.fixture
def cgroup(tmp_path: Path) -> Iterator[Path]:
    programs.root()
    hierarchy = "pids" if "pids" in hierarchies() else hierarchies()[0]
    folder = CGROUPS / hierarchy / f"wherry-{tmp_path.parent.parent.name}-{tmp_path.name}"[:80] / "with a space"
    (folder / "below").mkdir(parents=True)
    yield folder
    for each in (folder / "below", folder, folder.parent):
        with suppress(FileNotFoundError):
            each.rmdir()


def test_delete_removes_what_is_written_down_and_says_when(alone: Caller, tmp_path: Path, cgroup: Path) -> None:
    target = bundle(tmp_path / "a state", "pod")
    fake = tmp_path / "runc"
    fake.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/runc-was-asked"\n')
    fake.chmod(0o755)
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "file").touch()
    (target / "rootfs").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", target / "rootfs"], check=True)
    undo.write(
        target,
        [
            f"runc {tmp_path}/a runc {fake}",
            f"mount {target}/rootfs",
            f"cgroup {cgroup}",
            f"file {tmp_path}/a folder/file",
            f"folder {tmp_path}/a folder",
        ],
    )
    with subprocess.Popen(["sleep", "600"]) as upper, subprocess.Popen(["sleep", "600"]) as lower:
        (cgroup / "cgroup.procs").write_text(str(upper.pid))
        (cgroup / "below" / "cgroup.procs").write_text(str(lower.pid))
        before = int(time.time())
        done = alone.delete(target)
        assert (upper.wait(60), lower.wait(60)) == (-signal.SIGKILL, -signal.SIGKILL)
    response = DeleteResponse.FromString(done.stdout)
    assert response.exit_status == 137
    assert before <= response.exited_at.seconds <= int(time.time())
    assert not cgroup.exists()
    assert not (tmp_path / "a folder").exists()
    assert not os.path.ismount(target / "rootfs")
    assert (tmp_path / "runc-was-asked").read_text() == f"--root {tmp_path}/a runc delete --force pod\n"
    assert not list(target.glob("wherry.undo/*"))


def test_delete_ends_what_is_frozen(alone: Caller, tmp_path: Path) -> None:
    """A paused container whose host was killed: in a freezer of version 1 not even SIGKILL ends it."""
    programs.root()
    freezer = CGROUPS / "freezer" / f"wherry-frozen-{os.getpid()}"
    if "freezer" not in hierarchies():
        pytest.skip("no freezer of cgroup version 1: run the tests on a machine that has one")
    freezer.mkdir()
    target = bundle(tmp_path, "pod")
    undo.write(target, [f"cgroup {freezer}"])
    with subprocess.Popen(["sleep", "600"]) as frozen:
        (freezer / "cgroup.procs").write_text(str(frozen.pid))
        (freezer / "freezer.state").write_text("FROZEN")
        until(lambda: (freezer / "freezer.state").read_text() == "FROZEN\n")
        assert alone.delete(target).returncode == 0
        assert frozen.wait(60) == -signal.SIGKILL
    assert not freezer.exists()


def test_delete_of_a_sandbox_removes_its_pods_containers_and_no_others(alone: Caller, tmp_path: Path) -> None:
    pod = bundle(tmp_path / "state", "pod")
    bundles = [pod, bundle(tmp_path / "state", "mine", "pod"), bundle(tmp_path / "state", "other")]
    for each in bundles:
        (each / "left").touch()
        undo.write(each, [f"file {each}/left"])
    shutil.rmtree(bundles[1])  # as containerd 2.3 does
    bundles[1].mkdir()
    (bundles[1] / "left").touch()
    assert alone.delete(pod).returncode == 0
    assert [(each / "left").exists() for each in bundles] == [False, False, True]


def test_delete_of_a_container_leaves_the_rest_of_its_pod(alone: Caller, tmp_path: Path) -> None:
    bundles = [bundle(tmp_path / "state", "pod"), bundle(tmp_path / "state", "mine", "pod")]
    for each in bundles:
        (each / "left").touch()
        undo.write(each, [f"file {each}/left"])
    assert alone.delete(bundles[1]).returncode == 0
    assert [(each / "left").exists() for each in bundles] == [True, False]


def test_delete_does_not_wait_for_a_zygote_that_is_stopped(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    target = bundle(tmp_path, "pod")
    os.kill(running.pid, signal.SIGSTOP)
    try:
        deleted = caller.delete(target)
    finally:
        os.kill(running.pid, signal.SIGCONT)
    assert DeleteResponse.FromString(deleted.stdout).exit_status == 137


def test_delete_of_nothing_is_answered_and_asks_for_no_time(alone: Caller, tmp_path: Path) -> None:
    target = bundle(tmp_path, "pod")
    for _ in range(2):
        response = DeleteResponse.FromString(alone.delete(target).stdout)
        assert (response.exit_status, response.HasField("exited_at")) == (137, False)


# With a zygote


def test_start_tells_an_address_that_answers(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    done = caller.start(bundle(tmp_path, f"pod-{caller.shell}"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path(done.stdout.decode().removeprefix("unix://")).is_socket()
    assert (tmp_path / f"pod-{caller.shell}" / "address").read_bytes() == done.stdout


def test_containerd_2_3_is_answered_in_its_own_protocol(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    target = bundle(tmp_path, f"new-{caller.shell}")
    for number, expected in (("v2.3.4", 3), ("2.10.0-rc.1", 3)):
        params = BootstrapParams(instance_id=target.name, containerd_version=number)
        done = caller.start(target, params.SerializeToString())
        assert BootstrapResult.FromString(done.stdout).version == expected
    params = BootstrapParams(instance_id=target.name, containerd_version="2.2.9")
    assert caller.start(target, params.SerializeToString()).stdout.startswith(b"unix://")


@pytest.mark.parametrize("name", ["a b  c", "quote'\"`", "$HOME;*?[x]", "-id", "wörld", "back\\slash\\t", "\udcff"])
def test_any_path_may_lead_to_a_bundle(caller: Caller, running: Zygote, tmp_path: Path, name: str) -> None:
    target = bundle(tmp_path / name, "pod" + caller.shell)
    done = caller.start(target)
    assert (target / "address").read_bytes() == done.stdout
    assert caller.delete(target).returncode == 0


@pytest.mark.parametrize("name", ["a\ttab", "a\nnewline"])
def test_a_path_that_would_break_the_line_is_refused(
    caller: Caller, running: Zygote, tmp_path: Path, name: str
) -> None:
    target = bundle(tmp_path / name, "pod")
    undo.write(target, [f"file {tmp_path}/left"])
    (tmp_path / "left").touch()
    assert b"expected a text without tabs and newlines" in caller.start(target).stderr
    assert caller.delete(target).returncode == 0
    assert not (tmp_path / "left").exists()


def test_a_request_that_does_not_fit_a_pipe_is_refused(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    done = caller.call(*launchers.words(bundle(tmp_path, "pod")), "-x", "y" * 4096, "start", cwd=tmp_path / "pod")
    assert b"expected 4095 at most" in done.stderr


def test_long_requests_at_the_same_time_are_not_mixed(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    target = bundle(tmp_path, f"long-{caller.shell}")
    arguments = [*launchers.words(target), "-x", "y" * 3000, "start"]
    begun = [caller.begin(*arguments, cwd=target) for _ in range(20)]
    assert {ended(each).stdout for each in begun} == {(target / "address").read_bytes()}


def test_garbage_in_the_fifo_harms_nobody(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        garbage = [
            f"{stranger.pid}\t/\t\tstart\n".encode(),
            f"{running.pid}\t/\t\t-id\tx\tstart\n".encode(),
            b"9" * 300 + b"\t/\n",
            bytes(range(256)) * 200,
            b"\n\n1\t/\t\tstart\n",
            b"-1\n0\nnobody\n\xff\xfe\n",
        ]
        requests = os.open(running.state / "zygote.requests", os.O_WRONLY)
        for each in garbage:
            os.write(requests, each)
        os.close(requests)
        assert caller.start(bundle(tmp_path, f"garbage-{caller.shell}")).returncode == 0
        assert stranger.poll() is None
        stranger.kill()
    assert running.runs


def test_a_hundred_at_once_are_all_answered(running: Zygote, tmp_path: Path) -> None:
    caller = Caller("dash", running.state)
    begun = [caller.begin_start(bundle(tmp_path, f"pod{number}")) for number in range(100)]
    addresses = [ended(each).stdout for each in begun]
    assert all(each.startswith(b"unix://") for each in addresses)
    assert all(addresses.count(each) <= 32 for each in addresses)


# A zygote that dies meanwhile


def test_a_zygote_that_dies_while_it_is_asked_is_told_of(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    os.kill(running.pid, signal.SIGSTOP)
    started = caller.begin_start(bundle(tmp_path, "pod"))
    until(lambda: asked(running.state))
    running.end(signal.SIGKILL)
    assert GONE.encode() in ended(started).stderr


def blocked(caller: Caller, running: Zygote, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A launcher, and the child of the zygote that is to answer it and does not get on."""
    target = bundle(folder, "pod")
    (target / "config.json").unlink()
    os.mkfifo(target / "config.json")
    before = set(children(running.pid))
    launcher = caller.begin_start(target)
    return launcher, until(lambda: next(iter(set(children(running.pid)) - before), None))


def test_a_child_that_is_killed_before_it_answered_is_told_of(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    launcher, child = blocked(caller, running, tmp_path)
    os.kill(child, signal.SIGKILL)
    done = ended(launcher)
    assert done.returncode == 1
    assert b"ended by signal 9" in done.stdout


def test_the_zygote_dies_while_its_child_answers(caller: Caller, running: Zygote, tmp_path: Path) -> None:
    launcher, child = blocked(caller, running, tmp_path)
    running.end(signal.SIGKILL)
    assert GONE.encode() in ended(launcher).stderr
    os.kill(child, signal.SIGKILL)


def test_a_signal_that_the_shell_has_missed_comes_again(zygote: Zygote, tmp_path: Path) -> None:
    """What a shell misses between its look at signals and its read, this one misses three times."""
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    keep = os.open(alive, os.O_RDWR)
    shell = "trap 'missed=$((missed + 1)); [ $missed -gt 3 ] && exit 0' USR1; exec 3>&1 4<\"$0\"; echo >&2"
    waiting = f"{shell}; while :; do read -r _ <&4; done"
    with subprocess.Popen(["dash", "-c", waiting, alive], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr
        process.stderr.readline()
        launcher = Launcher.waiting(process.pid, keep)
        assert launcher
        launcher.succeed(b"answer")
        launcher.settle()
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, b"answer")
    os.close(keep)


def test_whoever_is_no_launcher_is_left_alone(zygote: Zygote, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    keep = os.open(alive, os.O_RDWR)
    for pid in (os.getpid(), 1, 0, 1 << 22, 1 << 40):
        assert Launcher.waiting(pid, keep) is None
    os.close(keep)
