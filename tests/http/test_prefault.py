"""Pages that are there before a request writes them: which, and that no request can tell."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.engine import wasm_file
from bench.inprocess import Asked
from tests.http.conftest import Start
from tests.support import guests
from tests.support.http_server import Response, Stream
from wherry.engine.config import BEGINNING
from wherry.engine.host import Host
from wherry.engine.http import prefault
from wherry.engine.http.guest import load
from wherry.engine.http.pages import PAGE, Memory, Pages, PageTable, memories_of, runs
from wherry.engine.http.pipes import ResponsePipe
from wherry.engine.http.prefault import FEWEST, LESSONS, MOST_MEMORIES, Lessons
from wherry.engine.prepare import prepare
from wherry.plan.model import RunPlan

CODE = Path("/cache/aot/abc/key.cwasm")
MAPS = """\
00001000-00004000 r--p 00000000 fe:00 7 /cache/aot/abc/key.cwasm
10000000-10010000 rw-p 00000000 00:00 0
10010000-10018000 rw-p 00005000 fe:00 7 /cache/aot/abc/key.cwasm
10018000-10020000 rw-p 00000000 00:00 0
10020000-20000000 ---p 00000000 00:00 0
30000000-30010000 rw-p 00000000 00:00 0
30010000-30018000 rw-p 00005000 fe:00 7 /cache/aot/abc/key.cwasm
40000000-40001000 rw-p 00005000 fe:00 8 /cache/aot/abd/key.cwasm
"""
FIRST = Memory(0x10010000, 0x5000, 0x10000000, 0x1001C000)

MEMORY = 4 << 20
"""Bytes of the memory of the guest below, which it makes larger by another page."""

WRITTEN = 40
"""Pages that the guest below writes: half of its image, half of zeros behind it, beyond what keep_resident keeps."""

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
    (drop (memory.grow (i32.const 1)))
    (i32.store8 (i32.const {MEMORY}) (i32.const 66))
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
"""Traps when a byte that it writes is not what the image says."""


def test_a_memory_is_what_can_be_written_around_an_image_of_this_code() -> None:
    assert memories_of(CODE, 0x1C000, MAPS) == [FIRST, Memory(0x30010000, 0x5000, 0x30000000, 0x3001C000)]


def test_what_lies_far_from_its_image_is_left_alone() -> None:
    [memory] = memories_of(CODE, 80 << 20, f"10000000-14000000 rw-p 0 00:00 0\n14000000-14008000 rw-p 0 fe:00 7 {CODE}")
    assert memory == Memory(0x14000000, 0, 0x14000000 - (32 << 20), 0x15000000)


def test_neighbouring_pages_are_one_range() -> None:
    assert runs({7, -2, -1, 3, 8, 9}) == [(-2, 2), (3, 1), (7, 3)]


def test_what_every_request_wrote_is_kept_ready() -> None:
    lessons = Lessons()
    for odd in range(LESSONS):
        half_way = Memory(0x50010000, 0x5000, 0x50010000, 0x50011000)
        lessons.add([(half_way, {1}), (FIRST, {*range(FEWEST), 100 + odd}), (half_way, set())])
    assert lessons.pages == {0x5000: set(range(FEWEST))}
    assert len(lessons.ready([FIRST] * 2 * MOST_MEMORIES)) == MOST_MEMORIES


def test_few_pages_are_left_to_the_guest() -> None:
    lessons = Lessons()
    lessons.add([(FIRST, set(range(FEWEST - 1)))])
    assert lessons.ready([FIRST]) == []


@pytest.mark.parametrize("at_once", [True, False])
def test_populated_pages_are_copies_with_the_same_bytes(tmp_path: Path, at_once: bool) -> None:
    """Also where the kernel takes one range at a time only."""
    file = tmp_path / CODE.relative_to("/cache")
    file.parent.mkdir(parents=True)
    file.write_bytes(content := bytes(range(256)) * (16 * PAGE // 256))
    with file.open("rb") as opened:
        view = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    [memory] = memories_of(file.resolve(), 16 * PAGE, Path("/proc/self/maps").read_text())
    table, pages = PageTable(), Pages(memory, {2, 3, 9})
    table._at_once = at_once
    assert table.lacks(pages)
    assert table.populate(pages)
    assert not table.lacks(pages)
    assert {2, 3, 9} == table.written(memory) & set(range(16))
    assert view[:] == content
    table.close()


@contextmanager
def asking(wasm: Path, cache: Path) -> Iterator[tuple[Any, Any]]:
    """A loaded guest, and a way to ask it once."""
    plan = RunPlan("http", wasm_file(wasm))
    guest: Any = load(prepare(plan, host := Host(cache=cache)), host, 4, 8080)
    call, pipe = guest.new_call(), ResponsePipe()
    asked: Any = Asked(pipe)

    def ask() -> bytes:
        outcome = call(asked)
        assert outcome.ending.code == 0, outcome.ending
        return pipe.read()

    yield guest, ask
    pipe.close()
    guest.close()


def between_requests(guest: Any) -> set[int]:
    table = PageTable()
    [memory] = memories_of(Path(guest.code.path).resolve(), MEMORY, Path("/proc/self/maps").read_text())
    try:
        return table.written(memory)
    finally:
        table.close()


def test_between_requests_the_pages_of_the_next_one_are_there(tmp_path: Path) -> None:
    with asking(guests.wat(SPOILER), tmp_path) as (guest, ask):
        ask()
        before = between_requests(guest)
        for _ in range(20):
            assert ask().endswith(b"fresh\n")
        assert len(between_requests(guest) - before) == WRITTEN
        guest.prefault.close()
        ask()
        assert between_requests(guest) == before


def test_a_guest_that_writes_few_pages_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def counted(code: Path, size: int, maps: str) -> list[Memory]:
        looks.append(maps)
        return memories_of(code, size, maps)

    monkeypatch.setattr(prefault, "memories_of", counted)
    with asking(guests.tiny(), tmp_path) as (guest, ask):
        assert all(ask().endswith(b"hello\n") for _ in range(20))
        assert (len(looks), guest.prefault.active) == (1, False)


def hidden() -> PageTable:
    raise PermissionError("/proc is not ours to read")


def test_where_the_kernel_shows_no_pages_everything_works_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefault, "PageTable", hidden)
    with asking(guests.wat(SPOILER), tmp_path) as (guest, ask):
        assert all(ask().endswith(b"fresh\n") for _ in range(20))
        monkeypatch.undo()
        assert between_requests(guest) <= set(range(BEGINNING // PAGE))


def test_where_the_kernel_populates_no_pages_it_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def refused(_table: PageTable, _pages: Pages) -> bool:
        nonlocal asked
        asked += 1
        return False

    monkeypatch.setattr(PageTable, "populate", refused)
    with asking(guests.wat(SPOILER), tmp_path) as (_, ask):
        assert all(ask().endswith(b"fresh\n") for _ in range(20))
    assert asked == 1


def test_requests_at_once_all_find_memory_as_it_was_compiled(start: Start) -> None:
    server = start(guests.wat(SPOILER))

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
