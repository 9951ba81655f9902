"""The holder's program: it waits, takes almost nothing, and ends when it is told to."""

from __future__ import annotations

import platform
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from wherry_shim.linux.holder import image
from wherry_shim.linux.numbers import number

EMULATOR = "qemu-aarch64"


def _written(path: Path, machine: str) -> str:
    path.write_bytes(image(machine))
    path.chmod(0o755)
    return str(path)


def _wait_until_it_waits(pid: int) -> None:
    waiting = f"{number('rt_sigtimedwait')} "
    while not Path(f"/proc/{pid}/syscall").read_text().startswith(waiting):
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


def test_a_page_holds_it_for_either_processor() -> None:
    assert max(len(image(machine)) for machine in ("x86_64", "aarch64")) < 256


def test_the_other_processor_runs_it_too(tmp_path: Path) -> None:
    emulator = shutil.which(EMULATOR)
    if emulator is None:
        pytest.skip("needs an emulator of aarch64: apt-get install qemu-user")
    process = subprocess.Popen([emulator, _written(tmp_path / "holder", "aarch64")])
    _wait_until_it_waits(process.pid)
    process.terminate()
    assert process.wait(5) == 0
