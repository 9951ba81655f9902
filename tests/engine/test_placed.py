"""Images behind machine code: found again where they were put, and the code still loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.engine import wasm_file
from tests.support import guests
from wherry.engine.code import compiled, load
from wherry.engine.config import Build, new_engine
from wherry.engine.placed import Placed, place, placed
from wherry.wasm.image import Image
from wherry.wasm.memory import WASM_PAGE

FIRST, SECOND = Image(5 << 16, 1 << 16, b"a" * WASM_PAGE), Image(9 << 16, 0, b"b" * 2 * WASM_PAGE)


@pytest.mark.parametrize("code", [b"", b"x", b"x" * WASM_PAGE, b"x" * (WASM_PAGE + 1)])
def test_images_are_where_they_may_be_mapped(code: bytes, tmp_path: Path) -> None:
    (tmp_path / "code").write_bytes(data := place(code, [FIRST, SECOND]))
    with (tmp_path / "code").open("rb") as file:
        found = placed(file.fileno())
    start = -(-len(code) // WASM_PAGE) * WASM_PAGE
    assert found == [
        Placed(5 << 16, 1 << 16, start, WASM_PAGE),
        Placed(9 << 16, 0, start + WASM_PAGE, 2 * WASM_PAGE),
    ]
    assert data.startswith(code)
    assert [data[each.offset : each.offset + each.size] for each in found] == [FIRST.data, SECOND.data]


def test_code_without_images_says_so(tmp_path: Path) -> None:
    (tmp_path / "code").write_bytes(place(b"code", []))
    with (tmp_path / "code").open("rb") as file:
        assert placed(file.fileno()) == []


def test_the_engine_loads_code_with_images_behind_it(tmp_path: Path) -> None:
    build = Build(lifted=True)
    code = compiled(wasm_file(guests.wat('(module (memory 6) (data (i32.const 70000) "here"))')), build, tmp_path)
    with code.open("rb") as file:
        [image] = placed(file.fileno())
    assert code.read_bytes()[image.offset + 70000 - image.start :].startswith(b"here")
    with new_engine(build) as engine, load(engine, code, "module") as loaded:
        assert loaded.pointer
