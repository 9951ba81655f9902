"""Memory that a command grows by is asked for in huge pages; what it begins with is not."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest

from tests.support import guests
from tests.support.commands import CACHE, plan_of
from wherry.engine.host import Host
from wherry.engine.run import run

PAGE = 64 << 10
BEGINS, GROWS = 3 * PAGE, 160 * PAGE

GROWING = f"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") {BEGINS // PAGE})
  (data (i32.const 8) "\\10\\00\\00\\00\\01\\00\\00\\00")
  (func (export "_start")
    (drop (memory.grow (i32.const {GROWS // PAGE})))
    (memory.fill (i32.const {BEGINS}) (i32.const 1) (i32.const {GROWS}))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
    (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)))))"""
"""Grows, writes all of that, says so, and waits."""

MAPPING = re.compile(r"^(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) rw-p .*?^VmFlags:(?P<flags>.*?)$", re.M | re.S)


def advised() -> list[int]:
    """Bytes of this process's mappings that may be written and for which huge pages are asked."""
    found = MAPPING.finditer(Path("/proc/self/smaps").read_text())
    return [int(each["end"], 16) - int(each["start"], 16) for each in found if " hg" in each["flags"]]


@pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="needs a kernel with CONFIG_TRANSPARENT_HUGEPAGE"
)
def test_what_a_command_grows_by_and_nothing_else_is_asked_for_in_huge_pages() -> None:
    stdin, go_on = os.pipe()
    ready, stdout = os.pipe()
    endings = []
    plan, host = plan_of(guests.wat(GROWING)), Host(stdio=(stdin, stdout, 2), cache=CACHE)
    runner = threading.Thread(target=lambda: endings.append(run(plan, host)))
    before = advised()
    runner.start()
    assert os.read(ready, 1)
    during = advised()
    os.close(go_on)
    runner.join()
    for end in (stdin, ready, stdout):
        os.close(end)
    assert endings[0].code == 0
    assert sum(during) - sum(before) == GROWS
    assert advised() == before
