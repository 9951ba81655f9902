"""Headers, lengths and what is no ttrpc: bytes in, frames out, however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry_shim.ttrpc.frames import (
    HEADER,
    MAX_ANNOUNCED,
    MAX_DATA,
    Frame,
    FrameType,
    NotTtrpc,
    Oversized,
    Reader,
    encoded,
)

FRAMES = st.builds(Frame, st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=40))


def wire(frame: Frame) -> bytes:
    return HEADER.pack(len(frame.data), frame.stream, frame.type, frame.flags) + frame.data


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[start:end] for start, end in pairwise(places)]


def read(pieces: list[bytes]) -> list[Frame | Oversized]:
    reader = Reader()
    return [frame for piece in pieces for frame in reader.feed(piece)]


def test_a_header_is_ten_bytes_in_network_order() -> None:
    assert encoded(3, FrameType.REQUEST, b"hi") == b"\0\0\0\2\0\0\0\3\1\0hi"


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(0, 1000), max_size=10))
def test_frames_are_the_same_however_their_bytes_are_cut(frames: list[Frame], at: list[int]) -> None:
    assert read(cut(b"".join(map(wire, frames)), at)) == frames


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_frames_or_no_ttrpc(pieces: list[bytes]) -> None:
    reader = Reader()
    try:
        frames = [frame for piece in pieces for frame in reader.feed(piece)]
    except NotTtrpc:
        return
    assert all(len(frame.data) <= MAX_DATA if isinstance(frame, Frame) else frame.length > MAX_DATA for frame in frames)


@pytest.mark.parametrize("length", [MAX_DATA - 1, MAX_DATA])
def test_a_frame_up_to_the_limit_is_read(length: int) -> None:
    frame = Frame(1, FrameType.REQUEST, 0, bytes(length))
    assert read([wire(frame)]) == [frame]


@pytest.mark.parametrize("length", [MAX_DATA + 1, MAX_ANNOUNCED - 1])
def test_a_longer_frame_is_reported_once_and_skipped(length: int) -> None:
    after = Frame(3, FrameType.REQUEST, 0, b"next")
    data = wire(Frame(1, FrameType.REQUEST, 0, bytes(length))) + wire(after)
    pieces = [data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20)]
    assert read(pieces) == [Oversized(1, FrameType.REQUEST, 0, length), after]


def test_what_is_skipped_is_not_kept() -> None:
    reader = Reader()
    list(reader.feed(HEADER.pack(MAX_DATA + 1, 1, FrameType.REQUEST, 0)))
    assert list(reader.feed(bytes(MAX_DATA))) == []
    assert reader.held == 0


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", HEADER.pack(MAX_ANNOUNCED, 1, 1, 0)])
def test_a_first_byte_that_is_not_zero_is_no_ttrpc(data: bytes) -> None:
    with pytest.raises(NotTtrpc, match=r"a frame starts with b'.*', expected a zero byte first"):
        read([data])
