"""The cache keeps its quota, and a full disk is one clear error that leaves nothing half done."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import plan_of, wasm_file
from wherry.engine.code import compiled, load
from wherry.engine.config import Build, new_engine
from wherry.engine.eviction import evict
from wherry.engine.host import Host
from wherry.engine.prepare import prepare
from wherry.errors import StartError

DAY = 86_400.0


def _guest(code: int) -> Path:
    return guests.wat(f"""(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {code}))))""")


def _used(path: Path, days: float) -> Path:
    """Let the file have been used days ago."""
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def _compiled(cache: Path, code: int, days: float) -> Path:
    found = compiled(wasm_file(_guest(code)), Build(), cache)
    _used(found.with_suffix(".seal"), days)
    return found


def _size(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_within_the_quota_nothing_goes(tmp_path: Path) -> None:
    code = _compiled(tmp_path, 1, days=400)
    assert evict(tmp_path, quota=_size(code)) == ()
    assert code.exists()


def test_what_was_used_longest_ago_goes_first_and_no_more_than_needed(tmp_path: Path) -> None:
    newer, oldest, newest = (_compiled(tmp_path, code, days) for code, days in ((1, 2), (2, 3), (3, 1)))
    assert evict(tmp_path, quota=sum(map(_size, (newer, oldest, newest))) - 1) == (oldest,)
    assert [path.exists() for path in (newer, oldest, newest)] == [True, False, True]
    assert not oldest.with_suffix(".seal").exists()


def test_a_start_counts_as_use(tmp_path: Path) -> None:
    first, second = (_compiled(tmp_path, code, days) for code, days in ((1, 3), (2, 2)))
    assert compiled(wasm_file(_guest(1)), Build(), tmp_path) == first
    assert evict(tmp_path, quota=1) == (second,)


def test_what_a_process_has_mapped_stays(tmp_path: Path) -> None:
    code = _compiled(tmp_path, 1, days=400)
    with new_engine(Build()) as engine:
        with load(engine, code, "module"):
            assert evict(tmp_path, quota=0) == ()
        assert evict(tmp_path, quota=0) == (code,)


def test_what_was_used_a_moment_ago_stays(tmp_path: Path) -> None:
    code = _compiled(tmp_path, 1, days=0)
    assert evict(tmp_path, quota=0) == ()
    assert code.exists()


def test_blobs_count_and_go_as_well(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    blob = blobs / ("0" * 64)
    blob.write_bytes(bytes(100_000))
    _used(blob, days=5)
    code = _compiled(tmp_path, 1, days=1)
    assert evict(tmp_path, quota=_size(code) + _size(blob) - 1) == (blob,)


def test_what_dead_compilers_left_is_swept(tmp_path: Path) -> None:
    code = _compiled(tmp_path, 1, days=0)
    left, fresh = (code.with_name(f".{code.name}.{name}") for name in ("old", "new"))
    left.write_bytes(b"half")
    fresh.write_bytes(b"half")
    _used(left, days=1)
    evict(tmp_path)
    assert [path.exists() for path in (code, left, fresh)] == [True, False, True]


def test_places_of_code_that_went_long_ago_are_closed(tmp_path: Path) -> None:
    gone, kept = (_compiled(tmp_path, code, days) for code, days in ((1, 90), (2, 0)))
    assert evict(tmp_path, quota=1) == (gone,)
    assert gone.parent.exists()
    for code in (gone, kept):
        _used(code.parent, days=31)
    evict(tmp_path)
    assert (gone.parent.exists(), kept.exists()) == (False, True)


def test_old_seals_of_others_files_are_forgotten(tmp_path: Path) -> None:
    old, new = (tmp_path / "seals" / f"{name}.seal" for name in ("old", "new"))
    old.parent.mkdir()
    for seal in (old, new):
        seal.touch()
    _used(old, days=31)
    evict(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_code_that_went_is_compiled_again(tmp_path: Path) -> None:
    code = _compiled(tmp_path, 1, days=1)
    assert evict(tmp_path, quota=0) == (code,)
    assert compiled(wasm_file(_guest(1)), Build(), tmp_path) == code
    assert code.exists()


def test_a_compile_is_followed_by_eviction(tmp_path: Path) -> None:
    old = Path(prepare(plan_of(_guest(1)), Host(cache=tmp_path)).code)
    _used(old.with_suffix(".seal"), days=1)
    new = Path(prepare(plan_of(_guest(2)), Host(cache=tmp_path, quota=1)).code)
    assert (old.exists(), new.exists()) == (False, True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small filesystem: run the tests as root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "wherry-test", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 4, 5])
def test_a_full_disk_is_one_clear_error_and_leaves_no_half_file(pages: int, small: Path) -> None:
    """Pages that are free: for the key, its lock, the entry's lock, code, its seal. In the end there are too few."""
    (small / "aot").mkdir(mode=0o700)
    with (small / "filler").open("wb", buffering=0) as filler:
        free = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize
        filler.write(bytes(free - pages * 4096))
    with pytest.raises(StartError, match=r"No space left.*; free some space") as refused:
        compiled(wasm_file(_guest(1)), Build(), small)
    assert refused.value.reason == "compile"
    left = [path.relative_to(small).name for path in small.rglob("*") if path.is_file()]
    assert [name for name in left if name.endswith((".cwasm", ".seal")) or name.startswith(".")] == []
    (small / "filler").unlink()
    assert compiled(wasm_file(_guest(1)), Build(), small).exists()
