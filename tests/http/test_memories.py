"""Memories that are used again: no request can tell, whatever the kernel does with the pages in between."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.engine import wasm_file
from bench.inprocess import Asked
from tests.http.conftest import Start
from tests.support import guests
from tests.support.http_server import Response, Stream
from wherry.engine import capi
from wherry.engine.config import TABLE_ELEMENTS
from wherry.engine.host import Host
from wherry.engine.http import linear, memories, written
from wherry.engine.http.guest import load
from wherry.engine.http.linear import LinearMemory
from wherry.engine.http.pipes import ResponsePipe
from wherry.engine.prepare import prepare
from wherry.plan.model import Limits, RunPlan

PAGE = mmap.PAGESIZE
MEMORY = 4 << 20
"""Bytes of the memory of the guest below, which it makes larger by another page of 64 KiB."""

MOST = 2 * MEMORY - 1
"""Bytes: its limit, which it tries."""

WRITTEN = 40
"""Pages that the guest below writes: half of its image, half of zeros behind it."""

SPOILER = f"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") {MEMORY >> 16})
  (data (i32.const 8) "\\10\\00\\00\\00\\20\\00\\00\\00")
  (data (i32.const 16) "Content-Type: text/plain\\0a\\0afresh\\0a")
  {" ".join(f'(data (i32.const {(100 + 2 * page) * PAGE}) "A")' for page in range(WRITTEN // 2))}
  (func $spoil (param $at i32) (param $expected i32)
    (if (i32.ne (i32.load8_u (local.get $at)) (local.get $expected)) (then (unreachable)))
    (i32.store8 (local.get $at) (i32.const 66)))
  (func (export "_start") (local $page i32)
    (if (i32.ne (memory.grow (i32.const 1)) (i32.const {MEMORY >> 16})) (then (unreachable)))
    (if (i32.ne (memory.grow (i32.const {MEMORY >> 16})) (i32.const -1)) (then (unreachable)))
    (call $spoil (i32.const {MEMORY}) (i32.const 0))
    (loop $next
      (call $spoil (i32.mul (i32.add (i32.const 150) (local.get $page)) (i32.const {2 * PAGE})) (i32.const 0))
      (local.set $page (i32.add (local.get $page) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $page) (i32.const {WRITTEN // 2}))))
    (local.set $page (i32.const 0))
    (loop $next
      (call $spoil (i32.mul (i32.add (i32.const 50) (local.get $page)) (i32.const {2 * PAGE})) (i32.const 65))
      (local.set $page (i32.add (local.get $page) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $page) (i32.const {WRITTEN // 2}))))
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))
"""
"""Traps when a byte that it writes is not what it was compiled to be, or when it may grow to twice its size."""

FRESH = b"Content-Type: text/plain\n\nfresh\n"


class Asking:
    """A guest that is loaded in this process, and a thread's way to ask it."""

    def __init__(self, wasm: Path, cache: Path, stack: ExitStack, most: int = MOST, reuse: int = 1) -> None:
        plan = RunPlan("http", wasm_file(wasm), port=8080, limits=Limits(memory=most))
        host = Host(cache=cache, reuse=reuse)
        self.guest: Any = load(prepare(plan, host), host, 4, 8080)
        stack.callback(self.guest.close)
        self._pipe = ResponsePipe()
        stack.callback(self._pipe.close)
        self._call = self.guest.new_call()

    def ask(self) -> bytes:
        asked: Any = Asked(self._pipe)
        try:
            outcome = self._call(asked)
        finally:
            said = self._pipe.read()
        assert outcome.ending.code == 0, outcome.ending
        return said

    @property
    def memory(self) -> LinearMemory:
        [memory] = self.guest.memories._all.values()
        found: LinearMemory = memory
        return found

    def resident(self) -> int:
        """Pages of the memory that are this process's own, or swapped out."""
        memory = self.memory
        with open("/proc/self/pagemap", "rb") as pagemap:
            pagemap.seek(memory.base // PAGE * 8)
            entries = memoryview(pagemap.read(MEMORY // PAGE * 8)).cast("Q")
        return sum(entry >> 62 == 1 or entry >> 61 == 4 for entry in entries)


Begin = Callable[..., Asking]


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Begin]:
    with ExitStack() as stack:
        yield lambda wasm=None, **more: Asking(wasm or guests.wat(SPOILER), tmp_path, stack, **more)


def test_a_request_finds_memory_as_it_was_compiled_in_pages_that_stayed(asking: Begin) -> None:
    side = asking()
    for _ in range(20):
        assert side.ask() == FRESH
        assert side.resident() == WRITTEN + 1  # and the place where fd_write says how much it wrote


def test_what_is_only_read_stays_the_files(asking: Begin) -> None:
    reader = f"""(module
      (memory (export "memory") {MEMORY >> 16})
      (data (i32.const {50 * PAGE}) "A")
      (func (export "_start")
        (if (i32.ne (i32.load8_u (i32.const {50 * PAGE})) (i32.const 65)) (then unreachable))))"""
    side = asking(guests.wat(reader))
    for _ in range(3):
        assert side.ask() == b""
        assert side.resident() == 0


@pytest.mark.parametrize(
    "defined",
    [
        f"(memory {MEMORY >> 16} 80) (memory 0)",
        f"(memory 0) (memory {MEMORY >> 16})",
        f"(memory {MEMORY >> 16}) (memory {MEMORY >> 16})",
        f"(memory 1) (memory i64 {MEMORY >> 16})",
    ],
)
def test_memories_of_other_kinds_begin_as_they_were_compiled(asking: Begin, defined: str) -> None:
    """Each byte that is looked at must be zero; then it is written."""
    address = "i64.const" if "i64" in defined else "i32.const"
    spoil = """(if (i32.load8_u $other (@ 9)) (then unreachable)) (i32.store8 $other (@ 9) (i32.const 1))
        (if (i32.load8_u $first (i32.const 9)) (then unreachable)) (i32.store8 $first (i32.const 9) (i32.const 1))"""
    first, other = defined.replace("(memory ", "(memory $first ", 1).rsplit("(memory ", 1)
    body = spoil.replace("@", address)
    grown = f"(drop (memory.grow $first (i32.const 1))) (drop (memory.grow $other ({address} 1)))"
    side = asking(guests.wat(f'(module {first} (memory $other {other} (func (export "_start") {grown} {body}))'))
    for _ in range(3):
        assert side.ask() == b""


@pytest.mark.parametrize("pages", [1, MEMORY >> 16], ids=["pooled", "used again"])
def test_a_table_ends_where_the_pools_does(asking: Begin, pages: int) -> None:
    grower = f"""(module (memory {pages}) (table $table 10 funcref)
      (func $grown (param $by i32) (result i32) (table.grow $table (ref.null func) (local.get $by)))
      (func (export "_start")
        (if (i32.ne (call $grown (i32.const {TABLE_ELEMENTS - 9})) (i32.const -1)) (then unreachable))
        (if (i32.ne (call $grown (i32.const {TABLE_ELEMENTS - 10})) (i32.const 10)) (then unreachable))))"""
    side = asking(guests.wat(grower))
    for _ in range(3):
        assert side.ask() == b""


def test_a_heap_of_the_engine_begins_empty_too(asking: Begin) -> None:
    """What a garbage collector looks after is a memory in the engine's eyes, which begins with nothing and grows."""
    collected = f"""(module
      (type $pair (struct (field i32) (field i32)))
      (memory {MEMORY >> 16}) (data (i32.const 70000) "A")
      (func (export "_start") (local $count i32)
        (loop $next
          (if (i32.ne (i32.const 5) (struct.get $pair 0 (struct.new $pair (i32.const 5) (local.get $count))))
            (then unreachable))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $count) (i32.const 20000))))
        (if (i32.ne (i32.load8_u (i32.const 70000)) (i32.const 65)) (then unreachable))
        (i32.store8 (i32.const 70000) (i32.const 66))))"""
    side = asking(guests.wat(collected))
    for _ in range(3):
        assert side.ask() == b""
    assert sorted(side.guest.memories._free) == [0, MEMORY]


def test_pages_that_are_swapped_out_are_written_over_too(asking: Begin, swap: None) -> None:
    side = asking()
    side.ask()
    assert linear._madvise(side.memory.base, MEMORY, 21) == 0  # MADV_PAGEOUT
    assert side.resident() == WRITTEN + 1
    for _ in range(3):
        assert side.ask() == FRESH


@pytest.fixture
def swap(tmp_path: Path) -> Iterator[None]:
    file = str(tmp_path / "swap")
    commands = (["fallocate", "-l", "16M", file], ["chmod", "600", file], ["mkswap", "-q", file], ["swapon", file])
    if not all(shutil.which(command[0]) for command in commands) or any(
        subprocess.run(command, capture_output=True, check=False).returncode for command in commands
    ):
        pytest.skip("needs room to swap to, and to be root: swapon FILE")
    yield
    subprocess.run(["swapoff", file], check=True)


def hidden(path: str, *arguments: Any) -> int:
    if path == "/proc/self/pagemap":
        raise PermissionError(errno.EACCES, "it is hidden")
    return os.open(path, *arguments)


def test_where_the_kernel_shows_no_pages_they_are_given_back(asking: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "os", type("hiding", (), {"open": hidden, "O_RDONLY": 0, "O_CLOEXEC": 0}))
    side = asking()
    for _ in range(3):
        assert side.ask() == FRESH
        assert side.resident() == 0


def test_a_kernel_that_does_not_know_the_question_is_asked_once(asking: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def unknown(_file: int, request: int, _argument: int) -> int:
        asked.append(request)
        return -1

    monkeypatch.setattr(written, "_ioctl", unknown)
    side = asking()
    for _ in range(3):
        assert side.ask() == FRESH
        assert side.resident() == 0
    assert asked == [written.PAGEMAP_SCAN]


def test_more_pages_than_are_worth_keeping_are_given_back(asking: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST_PAGES", WRITTEN)
    side = asking()
    for _ in range(3):
        assert side.ask() == FRESH
        assert side.resident() == 0


def test_now_and_then_all_pages_are_given_back(asking: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "SELDOM", 3)
    side = asking()
    found = [(side.ask(), side.resident()) for _ in range(6)]
    assert found == [(FRESH, pages) for pages in (WRITTEN + 1, WRITTEN + 1, 0) * 2]


def test_only_so_many_memories_keep_their_pages(asking: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "MOST_READY", 1)
    side = asking()
    leases = [side.guest.memories.lease() for _ in range(2)]
    made = ctypes.pointer(capi.LinearMemory())
    for lease in leases:
        lease.begin()
        assert side.guest.memories._new(0, 0, MEMORY, MEMORY, 8 * MEMORY, PAGE, made) is None
    both = list(side.guest.memories._all.values())
    for memory in both:
        ctypes.memset(memory.base, 1, 5 * PAGE)
    for lease in leases:
        lease.end()
    side.guest.memories._all = {0: both[0]}
    kept = side.resident()
    side.guest.memories._all = {0: both[1]}
    assert (kept, side.resident()) == (5, 0)
    side.guest.memories._all = dict(enumerate(both))


def test_a_request_without_memory_fails_alone(asking: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    side = asking()
    with monkeypatch.context() as patch:
        patch.setattr(linear, "_mmap", lambda *_: ctypes.c_size_t(-1).value)
        with pytest.raises(AssertionError, match="a guest's memory"):
            side.ask()
    assert side.ask() == FRESH


def test_a_memory_that_the_kernel_does_not_let_grow_does_not_grow(
    asking: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = asking()
    side.ask()
    with monkeypatch.context() as patch:
        patch.setattr(linear, "_mprotect", lambda *_: -1)
        with pytest.raises(AssertionError, match="unreachable"):
            side.ask()
    assert side.ask() == FRESH


def test_a_memory_that_cannot_be_cleaned_is_not_used_again(asking: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    side = asking()
    side.ask()
    spoilt = side.memory
    with monkeypatch.context() as patch:
        patch.setattr(written.Written, "restore", lambda *_: False)
        patch.setattr(linear, "_madvise", lambda *_: -1)
        with pytest.raises(OSError, match="a guest's memory"):
            side.ask()
    assert side.ask() == FRESH
    assert len(side.guest.memories._all) == 2
    assert spoilt not in side.guest.memories._free[MEMORY]


def test_kept_instances_keep_their_memories(asking: Begin) -> None:
    side = asking(guests.python(), most=64 << 20, reuse=3)
    taken = []
    for _ in range(7):
        assert side.ask()
        free = side.guest.memories._free
        taken.append(len(side.guest.memories._all) - sum(map(len, free.values())))
    assert taken == [2, 2, 0, 2, 2, 0, 2]


def test_nothing_stays_mapped_when_it_is_closed(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with ExitStack() as stack:
        side = Asking(guests.wat(SPOILER), tmp_path, stack)
        side.ask()
        assert str(tmp_path) in Path("/proc/self/maps").read_text()
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()
    assert len(os.listdir("/proc/self/fd")) == before


def test_requests_at_once_all_find_memory_as_it_was_compiled(start: Start) -> None:
    server = start(guests.wat(SPOILER), plan={"limits": {"memory": MOST}})

    def many(_client: int) -> list[bytes]:
        with server.connect() as client:
            stream = Stream(client)
            bodies = []
            for _ in range(100):
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                bodies.append(Response.read(stream).body)
            return bodies

    with ThreadPoolExecutor(4) as clients:
        assert {body for bodies in clients.map(many, range(4)) for body in bodies} == {b"fresh\n"}
