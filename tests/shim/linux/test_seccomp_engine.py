"""Guests run as they do otherwise when their process may only make the system calls of a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.test_outbound import origin
from tests.engine.test_wasi import CASES, KINDS, run_in
from tests.support import guests
from tests.support.commands import CACHE, Outcome, ours, plan_of
from tests.support.http_server import Server, Settings, eventually, serving
from wherry.engine import admit
from wherry.engine.code import compiled
from wherry.engine.config import Build
from wherry.engine.prepare import inspected
from wherry.plan.codec import to_json
from wherry.plan.ending import Ending
from wherry.plan.model import Mount, RunPlan

__all__ = ["origin"]

CONFINED = """
import sys
import wherry.engine.command, wherry.engine.egress, wherry.engine.http.supervisor
from wherry_shim.linux.calls import make
from wherry_shim.linux.privileges import drop_bounding_set, drop_capabilities, no_new_privileges
from wherry_shim.linux.seccomp import install, worker_filter
def confine():
    make(drop_bounding_set())
    make(drop_capabilities())
    make(no_new_privileges())
    install(worker_filter())
"""
COMMAND = """
import os
os.register_at_fork = lambda **_: None
from pathlib import Path
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.plan.codec import from_json
from wherry_shim.linux.clone import clone
if (child := clone()) == 0:
    confine()
    ending = run(from_json(sys.argv[1]), Host(cache=Path(sys.argv[2])))
    os.write(2, ending.message.encode())
    os._exit(ending.code)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
KEEP = """
import ctypes
from wherry.engine.http.linear import Original
from wherry.engine.http.written import Written
confine()
memory = Original(-1, 1 << 20, []).memory(1 << 22, 1 << 16)
memory.grow(1 << 21)
memory.shrink()
ctypes.memset(memory.base, 1, 3)
assert Written().restore(memory)
print(ctypes.string_at(memory.base, 3))
"""


def _compile(plan: RunPlan) -> None:
    """Before it is confined: a worker starts no compiler."""
    inspection = inspected(plan.wasm)
    compiled(plan.wasm, Build(adapter=admit.adapter_of(inspection, "command", plan.outbound)), CACHE)


def _outcome(plan: RunPlan, stdin: bytes = b"") -> Outcome:
    """Of a command in a forked child without rights."""
    _compile(plan)
    command = [sys.executable, "-c", CONFINED + COMMAND, to_json(plan), str(CACHE)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False)
    return Outcome(Ending(done.returncode), done.stdout, done.stderr)


@pytest.mark.parametrize("kind", ["module", "component"])
def test_a_command_works_on_granted_files(kind: str, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("before")
    wasm, mounts = KINDS[kind]("files"), [Mount(str(tmp_path), "/data", readonly=False)]
    assert _outcome(plan_of(wasm, "write", "/data/new", "after", mounts=mounts)).ending.code == 0
    assert (tmp_path / "new").read_text() == "after"
    assert _outcome(plan_of(wasm, "read", "/data/old", mounts=mounts)).stdout == b"before"
    assert sorted(_outcome(plan_of(wasm, "list", "/data", mounts=mounts)).stdout.split()) == [b"new", b"old"]
    assert _outcome(plan_of(wasm, "remove", "/data/old", mounts=mounts)).ending.code == 0
    assert not (tmp_path / "old").exists()


@pytest.mark.parametrize("kind", ["module", "component"])
def test_a_guests_exit_code_comes_through(kind: str) -> None:
    free = ours(plan_of(KINDS[kind]("exit"), "3")).ending
    assert free.code != 0
    assert _outcome(plan_of(KINDS[kind]("exit"), "3")).ending == free


@pytest.mark.parametrize(("kind", "group"), [case for case in CASES if case[0] == "component" or "sockets" in case])
def test_a_group_of_wasi_calls_is_answered_as_in_a_free_process(kind: str, group: str, tmp_path: Path) -> None:
    free = run_in(ours, tmp_path / "free", KINDS[kind]("wasi"), group)
    assert run_in(_outcome, tmp_path / "confined", KINDS[kind]("wasi"), group) == free


def test_a_trap_is_told_with_its_backtrace() -> None:
    done = _outcome(plan_of(guests.wat('(module (func $f unreachable) (func (export "_start") call $f))')))
    assert done.ending.code == 134
    assert done.stderr.startswith(b"trap/unreachable: ")


def test_a_timeout_ends_a_guest_that_spins() -> None:
    wasm = guests.wat('(module (func (export "_start") (loop br 0)))')
    plan = plan_of(wasm)
    assert _outcome(replace(plan, limits=replace(plan.limits, timeout=0.2))).ending.code == 124


def test_memory_is_used_again() -> None:
    done = subprocess.run([sys.executable, "-c", CONFINED + KEEP], capture_output=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (b"b'\\x00\\x00\\x00'\n", b"")


def test_a_command_calls_out(origin: tuple[str, list[str]]) -> None:
    authority, seen = origin
    port = authority.rpartition(":")[2]
    for host in (authority, f"localhost:{port}"):  # localhost asks the resolver
        plan = replace(plan_of(guests.caller("fetch"), host), outbound=(f"http://{host}",))
        done = _outcome(plan)
        assert done.ending.code == 0, done.stderr
    assert seen == ["/", "/"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """served(wasm, workers): a server in a confined process; its code is compiled by a free one before."""
    with ExitStack() as stack:

        def begin(wasm: Path, workers: int) -> Server:
            settings = Settings(wasm, tmp_path, host={"workers": workers})
            with serving(settings):
                pass
            return stack.enter_context(serving(settings, CONFINED + "confine()\n"))

        yield begin


@pytest.mark.parametrize("kind", ["module", "component"])
def test_http_is_served_by_workers_that_are_replaced_when_they_die(served: Callable[..., Server], kind: str) -> None:
    wasm = guests.command("stream") if kind == "module" else guests.http("stream")
    server = served(wasm, 2)
    assert server.get("/").status == 200
    eventually(lambda: server.total()["requests_2xx"] == 1)  # a worker counts what it has sent
    before = server.workers()
    os.kill(before[0], signal.SIGKILL)
    eventually(lambda: len(server.workers()) == 2 and server.workers() != before)
    assert server.get("/").status == 200
    eventually(lambda: server.total()["requests_2xx"] == 2)
    assert server.stop() == 0
