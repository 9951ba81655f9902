"""The zygote's own life: one at a time, relieved by another, with nothing left of thousands of children."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import launchers, processes, programs
from tests.support.launchers import Caller, asked, bundle, children, ended
from tests.support.pods import until
from tests.support.zygote import Zygote


@pytest.fixture
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with launchers.lone_zygote(tmp_path_factory.mktemp("z")) as one:
        one.start(WHERRY_LINGER="1")
        yield one


@pytest.fixture
def caller(zygote: Zygote) -> Caller:
    programs.installed("dash")
    return Caller("dash", zygote.state)


def test_a_second_one_is_refused(zygote: Zygote) -> None:
    command = [sys.executable, "-m", "wherry_shim.zygote"]
    done = subprocess.run(command, env={**os.environ, **zygote.environment}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"wherry: another zygote runs already\n")
    assert (zygote.state / "zygote.pid").read_text() == f"{zygote.pid}\n"


def test_it_gives_systemd_signs_of_life_while_it_answers_nobody(tmp_path: Path) -> None:
    """Without one in time it is killed, and launchers that wait for it see that."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        launchers.lone_zygote(tmp_path) as one,
    ):
        systemd.settimeout(60)
        systemd.bind(str(tmp_path / "notify"))
        one.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="30000")
        assert [systemd.recv(64) for _ in range(5)] == [b"WATCHDOG=1"] * 5


def test_whoever_has_asked_before_sigterm_is_answered(zygote: Zygote, caller: Caller, tmp_path: Path) -> None:
    os.kill(zygote.pid, signal.SIGSTOP)
    begun = []
    for number in range(20):
        before = asked(zygote.state)
        begun.append(caller.begin_start(bundle(tmp_path, f"pod{number}")))
        until(lambda before=before: asked(zygote.state) > before)  # type: ignore[misc]
    os.kill(zygote.pid, signal.SIGTERM)
    os.kill(zygote.pid, signal.SIGCONT)
    assert {ended(each).stdout[:7] for each in begun} == {b"unix://"}
    zygote.end()
    assert not (zygote.state / "zygote.pid").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_its_successor_goes_on_with_its_pods(
    zygote: Zygote, caller: Caller, tmp_path: Path, number: signal.Signals
) -> None:
    first = caller.start(bundle(tmp_path, "pod"))
    zygote.restart(number, WHERRY_LINGER="1")
    assert caller.start(bundle(tmp_path, "container", "pod")).stdout == first.stdout
    assert caller.start(bundle(tmp_path, "another")).stdout == first.stdout


def test_a_launcher_waits_for_a_successor(zygote: Zygote, caller: Caller, tmp_path: Path) -> None:
    written = zygote.state / "zygote.pid"
    written.rename(written.with_suffix(".away"))
    begun = caller.begin_start(bundle(tmp_path, "pod"))
    until(lambda: children(begun.pid))  # it sleeps
    written.with_suffix(".away").rename(written)
    assert ended(begun).stdout.startswith(b"unix://")


def test_what_a_reboot_left_is_no_hindrance(zygote: Zygote, caller: Caller, tmp_path: Path) -> None:
    caller.start(bundle(tmp_path, "pod"))
    old = launchers.hosts(zygote)
    for pid in old:
        processes.kill(pid)
    zygote.end(signal.SIGKILL)
    (zygote.state / "zygote.pid").write_text(f"{os.getpid()}\n")
    for name in ("zygote.requests", "zygote.alive"):
        (zygote.state / name).unlink()
        (zygote.state / name).write_text("a file")
    zygote.start(WHERRY_LINGER="1")
    assert launchers.hosts(zygote) == []
    assert caller.start(bundle(tmp_path, "new")).returncode == 0


def test_a_thousand_children_leave_no_descriptor_and_no_zombie(zygote: Zygote, caller: Caller, tmp_path: Path) -> None:
    target = bundle(tmp_path, "container", "a-pod-that-is-nowhere")  # what the zygote does not know, a child looks for
    caller.start(target)
    until(lambda: not children(zygote.pid))
    before = _descriptors(zygote)
    with ThreadPoolExecutor(8) as pool:
        answers = {each.stdout for each in pool.map(lambda _: caller.start(target), range(1000))}
    assert answers == {b"wherry: the shim of pod a-pod-that-is-nowhere is gone; the kubelet makes the pod anew"}
    until(lambda: not children(zygote.pid))
    until(lambda: _descriptors(zygote) <= before)  # that of a child is closed a moment after it was waited for


def _descriptors(zygote: Zygote) -> int:
    return len(os.listdir(f"/proc/{zygote.pid}/fd"))


def test_a_host_ends_when_the_pod_that_was_promised_to_it_came_to_nothing(
    zygote: Zygote, caller: Caller, tmp_path: Path
) -> None:
    target = bundle(tmp_path, "pod")
    caller.start(target)
    (pid,) = launchers.hosts(zygote)
    shutil.rmtree(target)
    until(lambda: not processes.is_alive(pid))
    assert launchers.hosts(zygote) == []


def test_a_host_that_was_just_started_is_not_ended_before_its_pod_comes(
    zygote: Zygote, caller: Caller, tmp_path: Path
) -> None:
    zygote.restart(WHERRY_LINGER="0")
    caller.start(bundle(tmp_path, "pod"))
    (pid,) = launchers.hosts(zygote)
    caller.start(bundle(tmp_path, "second"))
    shutil.rmtree(tmp_path / "second")
    assert caller.start(bundle(tmp_path, "third")).returncode == 0
    assert launchers.hosts(zygote) == [pid]


# Bundles that are wrong


@pytest.mark.parametrize(("content", "said"), [(None, b"No such file"), (b"", b"got no JSON")])
def test_a_start_without_configuration_is_told_what_is_missing(
    zygote: Zygote, caller: Caller, tmp_path: Path, content: bytes | None, said: bytes
) -> None:
    target = bundle(tmp_path, "pod")
    (target / "config.json").unlink()
    if content is not None:
        (target / "config.json").write_bytes(content)
    done = caller.start(target)
    assert done.returncode == 1
    assert said in done.stdout
    assert b"Traceback" not in done.stdout
    assert launchers.hosts(zygote) == []


def test_a_huge_configuration_is_searched_like_any_other(zygote: Zygote, caller: Caller, tmp_path: Path) -> None:
    target = bundle(tmp_path, "pod")
    with (target / "config.json").open("ab") as file:
        file.truncate(1 << 28)
    assert caller.start(target).returncode == 0


def test_a_full_disk_is_told_and_no_host_is_left(zygote: Zygote, caller: Caller, tmp_path: Path) -> None:
    programs.root()
    (tmp_path / "small").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", tmp_path / "small"], check=True)
    try:
        target = bundle(tmp_path / "small", "pod")
        (tmp_path / "small" / "rest").write_bytes(bytes(4096))
        done = caller.start(target)
        assert b"No space left on device" in done.stdout
        assert launchers.hosts(zygote) == []
    finally:
        subprocess.run(["umount", "--lazy", tmp_path / "small"], check=True)


def test_a_request_is_answered_after_a_fifo_vanished_and_its_zygote_was_relieved(
    zygote: Zygote, caller: Caller, tmp_path: Path
) -> None:
    (zygote.state / "zygote.requests").unlink()
    assert b"the zygote does not run" in caller.start(bundle(tmp_path, "pod")).stderr
    zygote.restart(signal.SIGTERM, WHERRY_LINGER="1")
    assert caller.start(tmp_path / "pod").returncode == 0
