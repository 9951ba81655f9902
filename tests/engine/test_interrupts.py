"""Whatever a guest does, it ends when it must: by a deadline or a signal, and its streams with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import CACHE, Outcome, ours, plan_of
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.plan.ending import Ending
from wherry.plan.model import Limits, RunPlan

KINDS: dict[str, Callable[[str], Path]] = {"module": guests.command, "component": guests.command_component}
SOON = Limits(timeout=0.2)

RUNNER = """
import sys
from pathlib import Path
from tests.support.commands import plan_of
from wherry.engine.host import Host
from wherry.engine.run import run
ending = run(plan_of(Path(sys.argv[1]), *sys.argv[3:]), Host(cache=Path(sys.argv[2])))
sys.exit(ending.code)
"""


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def timed_out(ending: Ending) -> bool:
    return (ending.code, ending.category, ending.reason) == (124, "limit", "timeout")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["loop", "flood-log"])
def test_a_guest_that_never_stops_ends_at_its_timeout(way: str, kind: str) -> None:
    assert timed_out(ours(plan_of(KINDS[kind]("hostile"), way, limits=SOON)).ending)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sleeping_guest_ends_at_its_timeout_and_leaves_no_thread_behind(kind: str) -> None:
    assert timed_out(ours(plan_of(KINDS[kind]("hostile"), "sleep", limits=SOON)).ending)
    assert "guest" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_that_waits_for_stdin_ends_at_its_timeout_and_leaves_no_thread_behind(kind: str) -> None:
    with pipe() as (reader, _writer), tempfile.TemporaryFile() as out:
        ending = run(
            plan_of(KINDS[kind]("relay"), limits=SOON), Host(stdio=(reader, out.fileno(), out.fileno()), cache=CACHE)
        )
    assert timed_out(ending)
    assert not {"guest", "stdio"} & {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_guest_whose_output_nobody_takes_ends_at_its_timeout_and_leaves_no_thread_behind(kind: str) -> None:
    with pipe() as (_reader, writer), open(os.devnull, "rb") as nothing:
        ending = run(
            plan_of(KINDS[kind]("hostile"), "flood", limits=SOON),
            Host(stdio=(nothing.fileno(), writer, writer), cache=CACHE),
        )
    assert timed_out(ending)
    assert not {"guest", "stdio"} & {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timeout", [0.0, 0.0005, 0.001, 0.002, 0.004])
def test_an_end_that_is_asked_for_while_the_guest_starts_is_not_missed(timeout: float, kind: str) -> None:
    assert timed_out(ours(plan_of(KINDS[kind]("hostile"), "loop", limits=Limits(timeout=timeout))).ending)


def test_a_guest_in_time_keeps_its_own_ending() -> None:
    assert ours(plan_of(guests.command("exit"), "4", limits=Limits(timeout=300))).ending == Ending(4)


def test_runs_in_one_process_do_not_hinder_each_other() -> None:
    endings: list[Ending] = []
    plans = [plan_of(guests.command("hostile"), "loop", limits=SOON), plan_of(guests.command("exit"), "5")]

    def note(plan: RunPlan) -> None:
        endings.append(ours(plan).ending)

    threads = [threading.Thread(target=note, args=(plan,)) for plan in plans * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ending.code for ending in endings) == [5, 5, 5, 124, 124, 124]


def test_descriptors_and_threads_are_given_back() -> None:
    plan = plan_of(guests.command("echo"), "word")
    ours(plan, b"in")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        assert ours(plan, b"in").ending == Ending(0)
    assert len(os.listdir("/proc/self/fd")) == before


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real process that runs the guest with its own streams."""
    command = [sys.executable, "-c", RUNNER, arguments[0], str(CACHE), *arguments[1:]]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_ends_the_process_with_128_and_its_number(kind: str, number: int) -> None:
    with process(str(KINDS[kind]("relay"))) as child:
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"  # the guest runs, and now waits for stdin
        child.send_signal(number)
        assert child.wait(60) == 128 + number


@pytest.mark.parametrize("kind", KINDS)
def test_stdin_and_stdout_stream_while_the_guest_runs(kind: str) -> None:
    with process(str(KINDS[kind]("relay"))) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"
        for line in (b"first\n", b"second\n"):
            child.stdin.write(line)
            child.stdin.flush()
            assert child.stdout.readline() == line
        child.stdin.close()
        assert child.stdout.read() == b""
        assert child.wait(60) == 0


def test_a_closed_stdout_is_an_error_of_the_guest_and_not_a_crash() -> None:
    with process(str(guests.command("wasi")), "streams") as child:
        assert child.stdin
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        child.stdin.close()
        assert child.stderr.read() == b"to stderr"
        assert child.wait(60) == 0


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    script = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + RUNNER
    command = [sys.executable, "-c", script, str(guests.command("relay")), str(CACHE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as child:
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGINT)
        _, _ = child.communicate(timeout=60)
        assert child.returncode == 0


def test_a_signal_that_someone_else_handles_is_theirs() -> None:
    script = "import signal; signal.signal(signal.SIGUSR1, lambda *_: print('seen', flush=True))\n" + RUNNER
    command = [sys.executable, "-c", script, str(guests.command("relay")), str(CACHE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as child:
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGUSR1)
        assert child.stdout.readline() == b"seen\n"
        out, _ = child.communicate(b"still here", timeout=60)
        assert (out, child.returncode) == (b"still here", 0)


def test_a_read_to_the_end_of_a_large_stdin_is_whole() -> None:
    outcome: Outcome = ours(plan_of(guests.command("echo")), os.urandom(1 << 20))
    assert len(outcome.stdout) == len(b"arg /app.wasm\n") + (1 << 20)
