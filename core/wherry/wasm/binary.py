"""The binary format: reading integers, names and sections within bounds, and writing them.

Core modules: WebAssembly core specification, §5 Binary Format. Components: Binary.md of the component model.
Reading raises InvalidModule and nothing else, with the byte offset. Writing trusts its caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from mmap import mmap
from typing import NamedTuple, TypeAlias

from wherry.errors import InvalidModule

Bytes: TypeAlias = bytes | bytearray | memoryview | mmap
"""What may hold a binary; a mapped file is read where it lies."""

MAGIC = b"\0asm"
MODULE = MAGIC + b"\1\0\0\0"
COMPONENT = MAGIC + b"\x0d\0\1\0"
PREAMBLE = 8
"""Bytes of magic, version and layer, before the first section."""

CUSTOM = 0
SECTIONS_LIMIT = 100_000
"""Top-level sections: a binary may hold millions that are empty, each of which costs its reader a microsecond."""
NAME_LIMIT = 100_000
"""Bytes of one name (JS API, implementation limits)."""


class Section(NamedTuple):
    """One top-level section: its payload is data[start:end]."""

    id: int
    start: int
    end: int

    def reader(self, data: Bytes) -> Reader:
        return Reader(data, self.start, self.end)


class Reader:
    """A cursor over data[offset:end]. Every read is checked against `end` and moves `offset`."""

    __slots__ = ("_data", "_end", "offset")

    def __init__(self, data: Bytes, offset: int, end: int) -> None:
        self._data = data
        self._end = end
        self.offset = offset

    @property
    def left(self) -> int:
        return self._end - self.offset

    def skip(self, size: int) -> int:
        """Move over size bytes; the offset of the first."""
        start = self.offset
        if size > self._end - start:
            raise wrong(start, f"truncated: {self.left} bytes left", f"{size}")
        self.offset = start + size
        return start

    def byte(self) -> int:
        return self._data[self.skip(1)]

    def u32(self) -> int:
        """LEB128, unsigned, at most 5 bytes and 2³²−1 (core §5.2.2)."""
        return self._unsigned(32)

    def u64(self) -> int:
        """LEB128, unsigned, at most 10 bytes and 2⁶⁴−1."""
        return self._unsigned(64)

    def _unsigned(self, bits: int) -> int:
        start, value = self.offset, 0
        for shift in range(0, bits + 6 - (bits + 6) % 7, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> bits:
                    break
                return value
        raise wrong(start, f"an integer above {bits} bits", f"a LEB128 u{bits}")

    def i32(self) -> int:
        """LEB128, signed, at most 5 bytes; what it is as an unsigned integer, as an address is meant."""
        start, value = self.offset, 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                negative = byte & 0x40 and shift < 28
                return (value - (1 << shift + 7) if negative else value) & 0xFFFF_FFFF
        raise wrong(start, "an integer above 32 bits", "a LEB128 i32")

    def skip_integer(self) -> None:
        """Move over a LEB128 integer of up to 64 bits whose value does not matter."""
        start = self.offset
        for _ in range(10):
            if self.byte() < 0x80:
                return
        raise wrong(start, "an integer above 64 bits", "a LEB128 integer")

    def count(self, limit: int) -> int:
        """The length of a vector: at most limit, and at most one element for each byte that is left."""
        start, value = self.offset, self.u32()
        if value > limit:
            raise wrong(start, f"a count of {value}", f"at most {limit}")
        if value > self.left:
            raise wrong(start, f"a count of {value} with {self.left} bytes left", "a section that holds them")
        return value

    def name(self) -> str:
        """A name: its length in bytes, then UTF-8 (core §5.2.4)."""
        start, size = self.offset, self.u32()
        if size > NAME_LIMIT:
            raise wrong(start, f"a name of {size} bytes", f"at most {NAME_LIMIT}")
        start = self.skip(size)
        try:
            return str(self._data[start : self.offset], "utf-8")
        except UnicodeDecodeError:
            raise wrong(start, "a name that is not UTF-8", "UTF-8") from None

    def finish(self) -> None:
        if self.left:
            raise wrong(self.offset, f"{self.left} bytes after the last entry", "the end of the section")


def wrong(offset: int, got: str, expected: str) -> InvalidModule:
    """The error for a malformed binary at a byte offset."""
    return InvalidModule(f"malformed WebAssembly at byte {offset}: got {got}, expected {expected}")


def sections(data: Bytes) -> Iterator[Section]:
    """The top-level sections in order. Payloads are not read, so that the cost is theirs in number, not in bytes."""
    reader = Reader(data, PREAMBLE, len(data))
    count = 0
    while reader.left:
        count += 1
        if count > SECTIONS_LIMIT:
            raise wrong(reader.offset, f"more than {SECTIONS_LIMIT} sections", "fewer")
        kind = reader.byte()
        size = reader.u32()
        start = reader.skip(size)
        yield Section(kind, start, start + size)


def uleb(value: int) -> bytes:
    """LEB128, unsigned."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def name(text: str) -> bytes:
    """A name: length in bytes, then UTF-8."""
    raw = text.encode()
    return uleb(len(raw)) + raw


def vec(items: Iterable[bytes]) -> bytes:
    """A vector of encoded elements: their number, then each."""
    encoded = list(items)
    return uleb(len(encoded)) + b"".join(encoded)


def section(kind: int, payload: bytes) -> bytes:
    """A section: id, length in bytes, payload."""
    return bytes([kind]) + uleb(len(payload)) + payload
