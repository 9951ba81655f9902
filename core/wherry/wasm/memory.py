"""How large a linear memory is when it is made (core specification §5.5.8), in a module or anywhere in a component."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.wasm.binary import COMPONENT, PREAMBLE, Bytes, Reader, sections

WASM_PAGE = 64 << 10
_MEMORIES = 5  # section of a core module
_CORE_MODULE, _COMPONENT = 1, 4  # sections of a component that hold whole binaries
_HAS_MAXIMUM, _HAS_PAGE_SIZE = 0x01, 0x08
_MOST = 1000


def largest_memory(data: Bytes) -> int:
    """Bytes of the largest memory that the binary defines; 0 if it defines none. Raises InvalidModule."""
    return max(memory_sizes(data), default=0)


def memory_sizes(data: Bytes) -> list[int]:
    """Bytes of every memory that the binary defines, in order. Raises InvalidModule."""
    with memoryview(data) as view:
        return list(_sizes(view))


def _sizes(view: memoryview) -> Iterator[int]:
    nested = (_CORE_MODULE, _COMPONENT) if bytes(view[:PREAMBLE]) == COMPONENT else ()
    for section in sections(view):
        if section.id in nested:
            with view[section.start : section.end] as inner:
                yield from _sizes(inner)
        elif not nested and section.id == _MEMORIES:
            reader = Reader(view, section.start, section.end)
            for _ in range(reader.count(_MOST)):
                yield _size(reader)


def _size(reader: Reader) -> int:
    flags, pages = reader.byte(), reader.u64()
    if flags & _HAS_MAXIMUM:
        reader.skip_integer()
    return pages << reader.u32() if flags & _HAS_PAGE_SIZE else pages * WASM_PAGE
