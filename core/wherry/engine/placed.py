"""What memories begin with, behind the machine code in the same file: mapped from there, sealed with it.

Code, images, a table of four words for each image, and how many there are. Each image begins where every page size
allows it to be mapped; the engine does not look behind its code.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.wasm.image import Image
from wherry.wasm.memory import WASM_PAGE

_ENTRY = struct.Struct("<4Q")
_COUNT = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Placed:
    """An image in a file. memory: bytes of a memory that begins with it, at start; offset, size: where it lies."""

    memory: int
    start: int
    offset: int
    size: int


def place(code: bytes, images: Sequence[Image]) -> bytes:
    """The file's bytes."""
    file, table = bytearray(code), bytearray()
    for image in images:
        file += bytes(-len(file) % WASM_PAGE)
        table += _ENTRY.pack(image.memory, image.start, len(file), len(image.data))
        file += image.data
    return bytes(file + table + _COUNT.pack(len(images)))


def placed(file: int) -> list[Placed]:
    """The images in a file that is open for reading, as `place` wrote it. Raises OSError."""
    end = os.fstat(file).st_size - _COUNT.size
    [count] = _COUNT.unpack(os.pread(file, _COUNT.size, end))
    table = os.pread(file, count * _ENTRY.size, end - count * _ENTRY.size)
    return [Placed(*each) for each in _ENTRY.iter_unpack(table)]
