"""The holder's program: it waits, takes almost nothing, and ends when it is told to."""

from __future__ import annotations

import os
import platform
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.pods import until
from wherry_shim.linux.holder import image
from wherry_shim.linux.numbers import number

EMULATOR = "qemu-aarch64"
WAITING = f"{number('rt_sigtimedwait')} "


def _written(path: Path, machine: str, *, bound: bool = False) -> str:
    path.write_bytes(image(machine, bound=bound))
    path.chmod(0o755)
    return str(path)


def _wait_until_it_waits(pid: int) -> None:
    while not Path(f"/proc/{pid}/syscall").read_text().startswith(WAITING):
        select.select([], [], [], 0.001)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([_written(tmp_path / "holder", platform.machine())])
    _wait_until_it_waits(process.pid)
    yield process
    process.kill()
    process.wait()


def test_it_takes_less_memory_than_sixteen_pages(holder: subprocess.Popen[bytes]) -> None:
    rollup = Path(f"/proc/{holder.pid}/smaps_rollup").read_text()
    pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
    assert 0 < int(pss.split()[1]) < 64


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_askedto_end_ends_it_as_a_success(holder: subprocess.Popen[bytes], asked: signal.Signals) -> None:
    holder.send_signal(asked)
    assert holder.wait(5) == 0


def test_it_can_be_killed(holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    assert holder.wait(5) == -signal.SIGKILL


def test_it_waits_on_after_it_was_stopped_and_continued(holder: subprocess.Popen[bytes]) -> None:
    holder.send_signal(signal.SIGSTOP)
    holder.send_signal(signal.SIGCONT)
    with pytest.raises(subprocess.TimeoutExpired):
        holder.wait(0.2)


def test_a_small_part_of_a_page_holds_it_for_either_processor() -> None:
    assert max(len(image(machine, bound=True)) for machine in ("x86_64", "aarch64")) < 512


@pytest.fixture(params=["x86_64", "aarch64"])
def bound(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The command of one that is bound to its creator, for each processor."""
    program = _written(tmp_path / "holder", request.param, bound=True)
    if request.param == platform.machine():
        return [program]
    emulator = shutil.which(EMULATOR)
    if request.param != "aarch64" or emulator is None:
        pytest.skip("needs an emulator of aarch64: apt-get install qemu-user")
    return [emulator, program]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    yield reader, writer
    os.close(reader)
    with suppress(OSError):
        os.close(writer)


def test_one_that_is_bound_waits_while_its_creator_lives(bound: list[str], pipe: tuple[int, int]) -> None:
    process = subprocess.Popen(bound, stdin=pipe[0])
    _wait_until_it_waits(process.pid)
    process.terminate()
    assert process.wait(60) == 0


def test_one_that_is_bound_ends_if_its_creator_has_ended(bound: list[str], pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    assert subprocess.run(bound, stdin=pipe[0], timeout=60, check=False).returncode == 0


CREATOR = """
import os, sys
reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], {}, file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0)])
print(pid, flush=True)
sys.stdin.read()
"""


def test_one_that_is_bound_ends_with_its_creator(bound: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CREATOR, *bound], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as creator:
        assert creator.stdout
        pid = int(creator.stdout.readline())
        _wait_until_it_waits(pid)
        creator.kill()
    until(lambda: not processes.is_alive(pid))
    assert not processes.is_alive(pid)


PARENT = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
holder, (waits, *command) = os.getpid(), sys.argv[1:]
if os.fork():
    os.execv(command[0], command)
while not open(f"/proc/{holder}/syscall").read().startswith(waits):
    pass
os.fork()  # a child of the holder's, and one that it inherits
"""


def test_one_that_is_bound_leaves_no_zombie_of_its_children(bound: list[str], pipe: tuple[int, int]) -> None:
    process = subprocess.Popen([sys.executable, "-c", PARENT, WAITING, *bound], stdin=pipe[0])
    _wait_until_it_waits(process.pid)
    until(lambda: not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
    process.terminate()
    assert process.wait(60) == 0
