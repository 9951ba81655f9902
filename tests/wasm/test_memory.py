"""The size of a memory before anything runs, found in whatever a component is made of."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest
import wasmtime

from tests.support import guests
from wherry.errors import InvalidModule
from wherry.wasm.binary import COMPONENT, MODULE, section
from wherry.wasm.memory import largest_memory


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("(module)", 0),
        ('(module (import "a" "b" (memory 9)))', 0),
        ("(module (memory 3))", 3 << 16),
        ("(module (memory 2 7))", 2 << 16),
        ("(module (memory i64 5) (memory 1))", 5 << 16),
        ("(module (memory 300 (pagesize 1)))", 300),
    ],
)
def test_a_module_s_memory(text: str, size: int) -> None:
    assert largest_memory(bytes(wasmtime.wat2wasm(text))) == size


def test_the_largest_one_in_a_component_wherever_it_lies() -> None:
    small, large = (bytes(wasmtime.wat2wasm(f"(module (memory {pages}))")) for pages in (1, 40))
    inner = COMPONENT + section(1, large)
    assert largest_memory(COMPONENT + section(1, small) + section(4, inner)) == 40 << 16


def test_a_mapped_file_is_let_go_afterwards() -> None:
    with Path(guests.http("hello")).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert largest_memory(data) == 256 << 10


def test_a_broken_section_is_refused() -> None:
    with pytest.raises(InvalidModule, match="malformed"):
        largest_memory(MODULE + section(5, b"\x01\x00"))
