"""What linear memories begin with, taken out of a binary: whoever runs it has to put it there again.

An engine copies active data segments into each new memory, unless it makes the memory itself. Core specification
§5.5.14 (data section) and §4.7.2 (instantiation).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wherry.wasm.binary import COMPONENT, PREAMBLE, Reader, Section, section, sections, vec
from wherry.wasm.core import imports_memory
from wherry.wasm.memory import WASM_PAGE, memory_sizes

SPREAD = 64 << 20
"""Bytes from an image's first to its last: when there are more, its segments stay where they are."""

_MEMORIES, _DATA = 5, 11  # sections of a core module
_CORE_MODULE, _COMPONENT = 1, 4  # sections of a component that hold whole binaries
_PLAIN = {0, 1}  # flags of a memory that is not shared and has addresses of 32 bits
_ACTIVE, _PASSIVE = 0, 1
_I32_CONST, _END = 0x41, 0x0B
_MOST = 100_000
_SPENT = bytes([_ACTIVE, _I32_CONST, 0, _END, 0])  # writes nothing, and the numbers of other segments stay


@dataclass(frozen=True, slots=True)
class Image:
    """What a memory of so many bytes begins with: zeros up to start, then data. Both are multiples of WASM_PAGE."""

    memory: int
    start: int
    data: bytes


class _Segment(NamedTuple):
    """Bytes for an address; they are data[start:end] of the binary."""

    address: int
    start: int
    end: int


def lift_images(binary: bytes) -> tuple[bytes, list[Image]]:
    """A module or component without what its memories begin with, and that. Raises InvalidModule.

    A memory is told by its size: what begins with as many bytes as another stays as it is. So do segments whose address
    is computed, and those that a module has for the memory of another.
    """
    sizes = Counter(memory_sizes(binary))
    images: list[Image] = []
    return _lifted(binary, {size for size, count in sizes.items() if count == 1}, images), images


def _lifted(binary: bytes, unique: set[int], images: list[Image]) -> bytes:
    if binary[:PREAMBLE] != COMPONENT:
        return _module(binary, unique, images)
    parts = [COMPONENT]
    for each in sections(binary):
        payload = binary[each.start : each.end]
        nested = each.id in (_CORE_MODULE, _COMPONENT)
        parts.append(section(each.id, _lifted(payload, unique, images) if nested else payload))
    return b"".join(parts)


def _module(binary: bytes, unique: set[int], images: list[Image]) -> bytes:
    found = {each.id: each for each in sections(binary)}
    if _DATA not in found or (memory := _own_memory(binary, found)) not in unique:
        return binary
    segments = list(_segments(found[_DATA].reader(binary)))
    active = [each for each in segments if isinstance(each, _Segment)]
    if None in segments or not _fits(active, memory):
        return binary
    images.append(_image(binary, active, memory))
    kept = [binary[each.start : each.stop] if isinstance(each, slice) else _SPENT for each in segments]
    return _with_data(binary, vec(kept))


def _own_memory(binary: bytes, found: dict[int, Section]) -> int:
    """Bytes of the module's memory; 0 when it has not exactly one that is its own and plain."""
    if _MEMORIES not in found or imports_memory(binary):
        return 0
    reader = found[_MEMORIES].reader(binary)
    if reader.count(_MOST) != 1 or reader.byte() not in _PLAIN:
        return 0
    return reader.u32() * WASM_PAGE


def _segments(reader: Reader) -> Iterator[_Segment | slice | None]:
    """Active segments; where a passive one lies, whole; None for one that ends the search."""
    for _ in range(reader.count(_MOST)):
        begin, kind = reader.offset, reader.u32()
        if kind == _PASSIVE:
            reader.skip(reader.u32())
            yield slice(begin, reader.offset)
            continue
        if kind != _ACTIVE or reader.byte() != _I32_CONST:
            yield None
            return
        address = reader.i32()
        if reader.byte() != _END:
            yield None
            return
        size = reader.u32()
        start = reader.skip(size)
        yield _Segment(address, start, start + size)


def _fits(active: Sequence[_Segment], memory: int) -> bool:
    """Whether there are bytes to lift, and every segment is inside the memory: one that is not has to trap."""
    if all(each.start == each.end for each in active):
        return False
    end = max(each.address + each.end - each.start for each in active)
    return end <= memory and end - min(each.address for each in active) <= SPREAD


def _image(binary: bytes, active: Sequence[_Segment], memory: int) -> Image:
    """Segments in their order: a later one may write over an earlier one."""
    first = min(each.address for each in active) // WASM_PAGE * WASM_PAGE
    end = max(each.address + each.end - each.start for each in active)
    data = bytearray(-(-(end - first) // WASM_PAGE) * WASM_PAGE)
    for each in active:
        at = each.address - first
        data[at : at + each.end - each.start] = binary[each.start : each.end]
    return Image(memory, first, bytes(data))


def _with_data(binary: bytes, payload: bytes) -> bytes:
    parts = [
        section(each.id, payload if each.id == _DATA else binary[each.start : each.end]) for each in sections(binary)
    ]
    return binary[:PREAMBLE] + b"".join(parts)
