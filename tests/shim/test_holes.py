"""What is allocated after the free places are filled lies in one piece."""

from __future__ import annotations

import subprocess
import sys

import pytest

OBJECTS = """
import asyncio, json, sys
from wherry_shim import holes
holes.fill()
for size in (48, 112, 400):
    kept = [bytes(size - bytes.__basicsize__) for _ in range(20)]
    pages = {id(each) >> 12 for each in kept}
    print(len(pages) <= 2 + 20 * size // 4096, sys.getsizeof(kept[0]) == size)
"""
BLOCKS = """
import ctypes, sys
from wherry_shim import holes
library, size = ctypes.CDLL(None), int(sys.argv[1])
malloc, free = library.malloc, library.free
malloc.restype, malloc.argtypes, free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
there = [malloc(each) for _ in range(300) for each in (size, 5000)]
for address in there[::2]:
    free(address)
holes.fill()
pages = {malloc(size) >> 12 for _ in range(20)}
print(len(pages), 1 + 20 * (size + 16) // 4096 + 1)
"""


def said(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_small_objects_lie_in_the_fewest_pages() -> None:
    assert said(OBJECTS) == "True True\n" * 3


@pytest.mark.parametrize("size", [200, 680, 1000, 3000])
def test_blocks_that_were_given_back_are_not_used_again(size: int) -> None:
    """Of sizes that the C library keeps apart, and of one that it does not."""
    pages, fewest = map(int, said(BLOCKS, str(size)).split())
    assert pages <= fewest
