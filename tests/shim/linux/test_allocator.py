"""Threads of a host share one heap: seen in the process's own map, in a process that has no other threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes, re, threading
from pathlib import Path
from wherry_shim.linux.allocator import share_one_arena
if {shared}: share_one_arena()
malloc = ctypes.CDLL(None).malloc
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
places = []
for _ in range(3):
    thread = threading.Thread(target=lambda: places.append(malloc(10_000)))
    thread.start()
    thread.join()
start, end = re.search(r"^(\\w+)-(\\w+) .*\\[heap\\]$", Path("/proc/self/maps").read_text(), re.MULTILINE).groups()
print(all(int(start, 16) <= place < int(end, 16) for place in places))
"""


@pytest.mark.parametrize("shared", [True, False])
def test_threads_allocate_from_the_heap_of_the_process(shared: bool) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(shared=shared)], capture_output=True, text=True, check=True
    )

    assert said.stdout == f"{shared}\n"
