"""What keeps a server from starting is told before anything listens."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.http.conftest import Start
from tests.support import guests
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.errors import StartError
from wherry.plan.model import Limits, Mount, RunPlan, WasmFile

CACHE = Path("~/.cache/wherry/tests").expanduser()


def plan_of(wasm: Path) -> RunPlan:
    digest = f"sha256:{hashlib.sha256(wasm.read_bytes()).hexdigest()}"
    return RunPlan("http", WasmFile(str(wasm), digest), limits=Limits(timeout=30.0))


def reason(plan: RunPlan) -> str:
    with pytest.raises(StartError) as caught:
        run(plan, Host(cache=CACHE))
    return caught.value.reason


def test_a_mount_that_is_not_there() -> None:
    assert reason(replace(plan_of(guests.tiny()), mounts=(Mount("/nowhere/at/all", "/data"),))) == "mount"


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert reason(replace(plan_of(guests.tiny()), port=other.getsockname()[1])) == "address"


def test_bytes_that_are_not_those_of_the_plan() -> None:
    plan = plan_of(guests.tiny())
    other = WasmFile(plan.wasm.path, f"sha256:{'0' * 64}")
    assert reason(replace(plan, wasm=other)) == "digest-mismatch"


def test_a_module_that_is_no_program() -> None:
    assert reason(plan_of(guests.wat('(module (func (export "other")))'))) == "unsupported"


def test_a_module_that_asks_for_what_is_not_there() -> None:
    text = '(module (import "env" "magic" (func)) (memory (export "memory") 1) (func (export "_start")))'
    assert reason(plan_of(guests.wat(text))) == "missing-import"


def test_an_admin_address_that_is_none() -> None:
    with pytest.raises(StartError) as caught:
        run(plan_of(guests.tiny()), Host(cache=CACHE, admin="nonsense"))
    assert caught.value.reason == "address"


def test_a_mounted_folder_is_seen_by_every_request(start: Start, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "word").write_text("found")
    text = """
      (module
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 100) "word")
        (data (i32.const 200) "Content-Type: text/plain\\n\\n")
        (func (export "_start")
          (drop (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 0)
            (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
          (i32.store (i32.const 8) (i32.const 226)) (i32.store (i32.const 12) (i32.const 5))
          (drop (call $read (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
          (i32.store (i32.const 8) (i32.const 200)) (i32.store (i32.const 12) (i32.const 31))
          (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
    """
    server = start(guests.wat(text), plan={"mounts": [[str(tmp_path / "shared"), "/data", True]]})
    assert [server.get("/").body for _ in range(2)] == [b"found"] * 2
