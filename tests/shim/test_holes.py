"""What is allocated after the free places are filled lies in one piece."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio, json, sys
from wherry_shim import holes
holes.fill()
for size in (48, 112, 400):
    kept = [bytes(size - bytes.__basicsize__) for _ in range(20)]
    pages = {id(each) >> 12 for each in kept}
    print(len(pages) <= 2 + 20 * size // 4096, sys.getsizeof(kept[0]) == size)
"""


def test_small_objects_lie_in_the_fewest_pages() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "True True\n" * 3
