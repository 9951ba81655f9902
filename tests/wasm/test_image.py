"""What a memory begins with: lifted out of a binary only where the memory is the same afterwards."""

from __future__ import annotations

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from tests.support import guests
from wherry.engine.adapter.compose import compose
from wherry.errors import InvalidModule
from wherry.wasm.binary import COMPONENT, MODULE, section
from wherry.wasm.image import Image, lift_images
from wherry.wasm.memory import WASM_PAGE


def module(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {text})"))


def memory_of(binary: bytes) -> bytes:
    """What the engine makes of a module's memory, before anything runs."""
    store = wasmtime.Store()
    memory = wasmtime.Instance(store, wasmtime.Module(store.engine, binary), []).exports(store)["m"]
    assert isinstance(memory, wasmtime.Memory)
    return bytes(memory.read(store))


def beginning(image: Image) -> bytes:
    return (bytes(image.start) + image.data).ljust(image.memory, b"\0")


@given(
    st.lists(
        st.tuples(st.integers(0, 3 * WASM_PAGE - 40), st.binary(max_size=40), st.booleans()), min_size=1, max_size=6
    )
)
def test_code_and_image_together_are_the_memory_that_the_engine_makes(segments: list[tuple[int, bytes, bool]]) -> None:
    def text(address: int, data: bytes, active: bool) -> str:
        place, digits = f"(i32.const {address})" if active else "", "".join(f"\\{byte:02x}" for byte in data)
        return f'(data {place} "{digits}")'

    whole = module('(memory (export "m") 3)' + "".join(text(*each) for each in segments))
    lifted, images = lift_images(whole)
    assert len(images) == any(active and data for _, data, active in segments)
    assert memory_of(lifted) == bytes(3 * WASM_PAGE)
    assert b"".join(map(beginning, images)) == memory_of(whole)[: 3 * WASM_PAGE * len(images)]


def test_an_image_begins_and_ends_where_every_page_size_allows() -> None:
    [image] = lift_images(module('(memory 9) (data (i32.const 70000) "a") (data (i32.const 140000) "b")'))[1]
    assert (image.memory, image.start, len(image.data)) == (9 * WASM_PAGE, WASM_PAGE, 2 * WASM_PAGE)


def test_an_address_is_unsigned() -> None:
    [image] = lift_images(module('(memory 65536) (data (i32.const -1) "z")'))[1]
    assert (image.start, image.data[-1:]) == ((1 << 32) - WASM_PAGE, b"z")


def test_other_segments_keep_their_numbers() -> None:
    whole = module(
        '(memory (export "m") 1) (data (i32.const 0) "first") (data $late "later")'
        "(func $start (memory.init $late (i32.const 9) (i32.const 0) (i32.const 5)) (data.drop 0)) (start $start)"
    )
    lifted, [image] = lift_images(whole)
    assert image.data[:5] == b"first"
    assert memory_of(lifted)[:14] == bytes(9) + b"later"


@pytest.mark.parametrize(
    "text",
    [
        "(memory 1)",
        '(memory 1) (data "passive")',
        '(memory 1) (data (i32.const 65535) "ab")',
        '(memory 1) (data (i32.const 0) "a") (data (i32.const 70000) "")',
        '(import "a" "b" (memory 1)) (data (i32.const 0) "a")',
        '(import "a" "b" (memory 2)) (memory 1) (data (i32.const 0) "a")',
        '(memory 2) (memory 1) (data (i32.const 0) "a")',
        '(memory i64 1) (data (i64.const 0) "a")',
        '(memory 1 1 shared) (data (i32.const 0) "a")',
        '(import "a" "b" (global i32)) (memory 1) (data (global.get 0) "a")',
        '(import "a" "b" (global i32)) (memory 1) (data (i32.const 4) "a") (data (global.get 0) "b")',
        '(memory 1) (data (i32.add (i32.const 1) (i32.const 2)) "a")',
        '(memory 2000) (data (i32.const 0) "a") (data (i32.const 68000000) "b")',
    ],
    ids=lambda text: text[:60],
)
def test_what_cannot_be_lifted_stays_as_it_is(text: str) -> None:
    assert lift_images(whole := module(text)) == (whole, [])


def test_memories_of_one_size_cannot_be_told_apart() -> None:
    one, other = module('(memory 1) (data (i32.const 0) "a")'), module('(memory 2) (data (i32.const 0) "b")')
    twins = COMPONENT + section(1, one) + section(4, COMPONENT + section(1, module("(memory 1)"))) + section(1, other)
    lifted, images = lift_images(twins)
    assert [image.memory for image in images] == [2 * WASM_PAGE]
    assert lifted == twins.replace(section(1, other), section(1, lift_images(other)[0]))


def test_nothing_is_left_to_lift_afterwards() -> None:
    lifted, images = lift_images(compose(guests.http("hello").read_bytes(), "http"))
    assert [image.memory for image in images] == [256 << 10]
    assert lift_images(lifted) == (lifted, [])


@pytest.mark.parametrize(
    "data",
    [b"\x01\x00", b"\x01\x00\x41", b"\x01\x00\x41\x80\x80\x80\x80\x80\x00\x0b\x00", b"\x01\x00\x41\x00\x0b\x09a"],
)
def test_broken_data_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidModule, match="malformed"):
        lift_images(MODULE + section(5, b"\x01\x00\x01") + section(11, data))
