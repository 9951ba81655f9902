"""What is written is read back; what is out of bounds is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import InvalidModule
from wherry.wasm import binary
from wherry.wasm.binary import Reader


def reader(data: bytes) -> Reader:
    return Reader(data, 0, len(data))


@given(st.integers(0, 2**32 - 1))
def test_an_integer_that_is_written_is_read_back(value: int) -> None:
    assert reader(binary.uleb(value)).u32() == value


@given(st.text())
def test_a_name_that_is_written_is_read_back(text: str) -> None:
    source = reader(binary.name(text))
    assert source.name() == text
    source.finish()


@given(st.lists(st.binary(min_size=1, max_size=4)))
def test_a_vector_begins_with_its_count(items: list[bytes]) -> None:
    source = reader(binary.vec(items))
    assert source.count(len(items)) == len(items)
    assert source.left == sum(map(len, items))


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300))))
def test_sections_that_are_written_are_found_in_order(parts: list[tuple[int, bytes]]) -> None:
    data = binary.COMPONENT + b"".join(binary.section(kind, payload) for kind, payload in parts)
    assert [(s.id, data[s.start : s.end]) for s in binary.sections(data)] == parts


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "truncated"),
        (b"\x80\x80\x80\x80", "truncated"),
        (b"\x80\x80\x80\x80\x10", "above 32 bits"),
        (b"\xff\xff\xff\xff\xff\x00", "above 32 bits"),
    ],
)
def test_an_integer_that_is_no_u32_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InvalidModule, match=message):
        reader(data).u32()


def test_an_integer_of_more_than_64_bits_is_not_skipped() -> None:
    with pytest.raises(InvalidModule, match="above 64 bits"):
        reader(b"\x80" * 10 + b"\x00").skip_integer()


def test_a_count_that_the_section_cannot_hold_is_refused_before_anything_is_allocated() -> None:
    with pytest.raises(InvalidModule, match="a count of 99 with 3 bytes left"):
        reader(b"\x63abc").count(100)


def test_a_count_above_the_limit_is_refused() -> None:
    with pytest.raises(InvalidModule, match="a count of 3, expected at most 2"):
        reader(b"\x03abc").count(2)


def test_a_section_that_ends_after_the_file_is_refused_with_its_offset() -> None:
    with pytest.raises(InvalidModule, match="at byte 10: got truncated: 1 bytes left, expected 5"):
        list(binary.sections(binary.MODULE + b"\x00\x05x"))
