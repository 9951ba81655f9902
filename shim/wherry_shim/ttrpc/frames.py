"""Bytes to frames and back: a header of 10 bytes, then data. Pure.

    0       4       8     9     10
    | length | stream | type | flags | data ...      big-endian

A frame longer than 4 MiB is reported by its header and its data is skipped, so that it can be answered and the
connection lives on. The first byte is always zero (16 MiB and more cannot be announced): anything else is not ttrpc.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct(">IIBB")
MAX_DATA = 4 << 20
MAX_ANNOUNCED = 1 << 24


class FrameType(IntEnum):
    """PROTOCOL.md, section Message Types."""

    REQUEST = 1
    RESPONSE = 2
    DATA = 3


class NotTtrpc(Exception):
    """The peer does not speak this protocol; nothing that follows on the connection can be read."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. type is a number because a peer may send any; flags have a meaning for streams only."""

    stream: int
    type: int
    flags: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Oversized:
    """The header of a message whose data is skipped. length: bytes of data that were announced."""

    stream: int
    type: int
    flags: int
    length: int


class Reader:
    """Collects bytes until a frame is whole. Holds at most one frame and what was fed last."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Frame | Oversized]:
        """The frames that are complete now; to be exhausted before more is fed. Raises NotTtrpc."""
        self._buffer += data
        while frame := self._next():
            yield frame

    def _next(self) -> Frame | Oversized | None:
        self._drop_skipped()
        if self._skip or len(self._buffer) < HEADER.size:
            return None
        length, stream, kind, flags = HEADER.unpack_from(self._buffer)
        if length >= MAX_ANNOUNCED:
            raise NotTtrpc(f"a frame starts with {bytes(self._buffer[: HEADER.size])!r}, expected a zero byte first")
        if length > MAX_DATA:
            self._skip = HEADER.size + length
            return Oversized(stream, kind, flags, length)
        return self._whole(length, stream, kind, flags)

    def _whole(self, length: int, stream: int, kind: int, flags: int) -> Frame | None:
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        data = bytes(memoryview(self._buffer)[HEADER.size : end])
        del self._buffer[:end]
        return Frame(stream, kind, flags, data)

    def _drop_skipped(self) -> None:
        dropped = min(self._skip, len(self._buffer))
        del self._buffer[:dropped]
        self._skip -= dropped


def encoded(stream: int, kind: FrameType, data: bytes) -> bytes:
    """One frame without flags. data: at most MAX_DATA bytes, which callers have seen to."""
    return HEADER.pack(len(data), stream, kind, 0) + data
