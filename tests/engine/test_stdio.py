"""The guest's streams are the descriptors that it is given, whatever they are."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import CACHE, plan_of
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.errors import StartError
from wherry.plan.ending import Ending

ROOT = Path(__file__).parents[2]


def relay(source: int, out: int, errors: int) -> Ending:
    return run(plan_of(guests.command("relay")), Host(stdio=(source, out, errors), cache=CACHE))


def test_a_file_is_appended_to_where_it_stands_and_not_truncated(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"content")
    (tmp_path / "out").write_bytes(b"before\n")
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("ab") as out:
        assert relay(source.fileno(), out.fileno(), out.fileno()) == Ending(0)
    assert (tmp_path / "out").read_bytes() == b"before\nready\ncontent"


def test_input_goes_on_where_the_file_stands(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"taken, rest")
    with (tmp_path / "in").open("rb", buffering=0) as source, (tmp_path / "out").open("wb") as out:
        source.read(7)
        assert relay(source.fileno(), out.fileno(), out.fileno()) == Ending(0)
    assert (tmp_path / "out").read_bytes() == b"ready\nrest"


def test_a_socket_is_a_stream_like_any_other() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"through a socket")
        theirs.shutdown(socket.SHUT_WR)
        assert relay(ours.fileno(), ours.fileno(), ours.fileno()) == Ending(0)
        ours.close()
        assert b"".join(iter(lambda: theirs.recv(4096), b"")) == b"ready\nthrough a socket"


def test_stdout_and_stderr_in_one_file_keep_their_order(tmp_path: Path) -> None:
    text = """(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00") (data (i32.const 16) "a")
      (func $on (param $fd i32) (param $byte i32) (i32.store8 (i32.const 16) (local.get $byte))
        (drop (call $w (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
      (func (export "_start") (local $n i32)
        (loop $more
          (call $on (i32.const 1) (i32.const 111)) (call $on (i32.const 2) (i32.const 101))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $n) (i32.const 100))))))"""
    with (tmp_path / "out").open("wb") as out, open(os.devnull, "rb") as nothing:
        assert run(plan_of(guests.wat(text)), Host(stdio=(nothing.fileno(), out.fileno(), out.fileno()), cache=CACHE))
    assert (tmp_path / "out").read_bytes() == b"oe" * 100


def test_a_descriptor_that_is_not_open_is_a_start_error() -> None:
    nowhere = 1 << 20
    with pytest.raises(StartError, match=f"streams .*{nowhere}.*Bad file descriptor"):
        relay(nowhere, nowhere, nowhere)


def test_what_was_written_last_arrives_although_the_guest_is_gone(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(os.urandom(300_000))
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as out:
        assert relay(source.fileno(), out.fileno(), out.fileno()) == Ending(0)
    assert (tmp_path / "out").read_bytes() == b"ready\n" + (tmp_path / "in").read_bytes()


SCRIPT = """
import sys
from pathlib import Path
from tests.support.commands import plan_of
from wherry.engine.host import Host
from wherry.engine.run import run
ending = run(plan_of(Path(sys.argv[1]), *sys.argv[3:]), Host(cache=Path(sys.argv[2])))
print(f"ended with {ending.code}", file=sys.stderr)
sys.exit(ending.code)
"""


def command(guest: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-c", SCRIPT, str(guest), str(CACHE), *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("build", [guests.command, guests.command_component])
def test_a_guest_on_a_terminal_knows_it(build: type) -> None:
    """Descriptors of type 2, a character device, are terminals to the guest's libc."""
    controller, terminal = pty.openpty()
    try:
        done = subprocess.run(
            command(build("wasi"), "descriptors"),
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=120,
            check=False,
        )
        assert done.returncode == 0
        seen = os.read(controller, 65536)
    finally:
        os.close(controller)
        os.close(terminal)
    assert b"1: type 2" in seen


def test_a_guest_that_is_stuck_in_a_write_to_our_stdout_does_not_keep_the_process() -> None:
    """Its own stdout is beyond our reach: the guest is left behind, and the process ends all the same."""
    with subprocess.Popen(
        command(guests.command("hostile"), "flood"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as child:
        try:
            assert child.stdout
            assert child.stderr
            assert child.stdout.read(1)
            child.send_signal(signal.SIGTERM)
            assert child.stderr.read() == b"ended with 143\n"
            assert child.wait(60) == 143
        finally:
            child.kill()


def test_recursion_is_a_trap_even_where_threads_get_small_stacks() -> None:
    small = ["sh", "-c", 'ulimit -s 256; exec "$@"', "sh"]
    done = subprocess.run(
        [*small, *command(guests.command("hostile"), "recurse")], env=environment(), stderr=subprocess.PIPE, check=False
    )
    assert done.stderr == b"ended with 134\n"


def test_starting_a_command_imports_neither_a_server_nor_the_object_layer() -> None:
    heavy = {"asyncio", "uvloop", "httptools", "wasmtime", "wherry.engine.http", "wherry.engine.egress", "cryptography"}
    script = "import sys, wherry.engine.command; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)
