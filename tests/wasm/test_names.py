"""What a binary may make its reader do and remember, however it is built."""

from __future__ import annotations

import pytest

from wherry.errors import InvalidModule
from wherry.wasm.binary import COMPONENT, MODULE, NAME_LIMIT, SECTIONS_LIMIT, name, section, uleb, vec
from wherry.wasm.inspect import inspect
from wherry.wasm.names import NAMES_BYTES, NAMES_LIMIT

EXPORTS = 11


def exported(text: str) -> bytes:
    """An export of a component: a function."""
    return b"\0" + name(text) + b"\x01\0\0"


def test_millions_of_empty_sections_are_refused_early() -> None:
    with pytest.raises(InvalidModule, match=f"more than {SECTIONS_LIMIT} sections"):
        inspect(MODULE + b"\x01\0" * (SECTIONS_LIMIT + 1))


def test_as_many_sections_as_are_allowed_are_read() -> None:
    assert inspect(MODULE + b"\x01\0" * SECTIONS_LIMIT).kind == "module"


def test_names_are_counted_over_all_sections() -> None:
    half = section(EXPORTS, vec([exported("a")] * (NAMES_LIMIT // 2 + 1)))
    assert inspect(COMPONENT + half).exports == ("a",)
    with pytest.raises(InvalidModule, match=f"{NAMES_LIMIT + 2} names in all"):
        inspect(COMPONENT + half + half)


def test_a_name_has_a_longest_length() -> None:
    assert inspect(COMPONENT + section(EXPORTS, vec([exported("x" * NAME_LIMIT)]))).exports == ("x" * NAME_LIMIT,)
    with pytest.raises(InvalidModule, match=f"a name of {NAME_LIMIT + 1} bytes"):
        inspect(COMPONENT + section(EXPORTS, vec([exported("x" * (NAME_LIMIT + 1))])))


def test_sections_of_names_have_a_largest_size_before_they_are_read() -> None:
    head = bytes([EXPORTS]) + uleb(NAMES_BYTES + 1)
    with pytest.raises(InvalidModule, match=f"names of {NAMES_BYTES + 1} bytes"):
        inspect(COMPONENT + head + bytes(NAMES_BYTES + 1))
