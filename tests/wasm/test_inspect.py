"""What a binary says of itself, held against the engine's own reading and against mutated bytes."""

import contextlib
import mmap
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime import Engine, Module, component, wat2wasm

from wherry.errors import InvalidModule
from wherry.wasm.binary import COMPONENT, MODULE, name, section, uleb, vec
from wherry.wasm.inspect import inspect
from wherry.wasm.module import Inspection

PREVIEW1 = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (import "env" "table" (table 1 2 funcref))
  (import "env" "memory" (memory 1 2))
  (import "env" "memory64" (memory i64 1))
  (import "env" "counter" (global (mut i64)))
  (import "env" "any" (global (ref null func)))
  (import "env" "thrown" (tag (param i32)))
  (import "env" "page" (memory 1 2 (pagesize 1)))
  (memory (export "own") 1)
  (func (export "_start")))"""

PARTS = """(component
  (import "wasi:http/types@0.2.3" (instance))
  (import "plain-function" (func))
  (import "code" (core module))
  (import "part" (component))
  (import "handle" (type (sub resource)))
  (import "alias" (type (eq 0)))
  (type $t (func))
  (core module $m)
  (instance $i)
  (export "wasi:cli/run@0.2.6" (instance $i))
  (export "wasi:http/incoming-handler@0.2.3" (instance $i))
  (export "code" (core module $m)))"""


def exporting(*interfaces: str, imports: tuple[str, ...] = ()) -> bytes:
    """A component with empty instances under these names."""
    taken = "".join(f'(import "{name}" (instance))' for name in imports)
    given = "".join(f'(export "{name}" (instance $i))' for name in interfaces)
    return bytes(wat2wasm(f"(component {taken} (instance $i) {given})"))


def test_a_module_says_its_functions_its_world_and_how_it_runs() -> None:
    data = bytes(wat2wasm(PREVIEW1))
    assert inspect(data) == Inspection(
        kind="module",
        wasi="preview1",
        world="wasi_snapshot_preview1",
        imports=(
            "wasi_snapshot_preview1.fd_write",
            "env.table",
            "env.memory",
            "env.memory64",
            "env.counter",
            "env.any",
            "env.thrown",
            "env.page",
        ),
        exports=("own", "_start"),
        size=len(data),
        run="command",
    )


@pytest.mark.parametrize("other", ["memory", "table", "global", "tag"])
def test_a_start_that_is_no_function_is_no_way_in(other: str) -> None:
    declared = {"memory": "1", "table": "1 funcref", "global": "i32 (i32.const 0)", "tag": ""}[other]
    seen = inspect(bytes(wat2wasm(f'(module ({other} (export "_start") {declared}) (func (export "other")))')))
    assert (seen.exports, seen.run) == (("other",), None)


def test_a_component_says_its_interfaces_and_http_comes_before_command() -> None:
    data = bytes(wat2wasm(PARTS))
    assert inspect(data) == Inspection(
        kind="component",
        wasi="0.2",
        world="wasi:http/proxy@0.2.3",
        imports=("wasi:http/types@0.2.3", "plain-function", "code", "part", "handle", "alias"),
        exports=("wasi:cli/run@0.2.6", "wasi:http/incoming-handler@0.2.3", "code"),
        size=len(data),
        run="http",
    )


@pytest.mark.parametrize(
    ("exports", "imports", "wasi", "world", "run"),
    [
        ((), (), None, "", None),
        (("wasi:cli/run@0.2.0",), (), "0.2", "wasi:cli/command@0.2.0", "command"),
        (("wasi:http/handler@0.3.2",), ("wasi:io/poll@0.2.9",), "0.3", "wasi:http/service@0.3.2", "http"),
        (("wasi:cli/run@0.3.0-rc-2025-09-16",), (), "0.3", "wasi:cli/command@0.3.0-rc-2025-09-16", "command"),
        (("wasi:cli/run@0.2.0",), ("wasi:clocks/types@0.3.2",), "0.2", "wasi:cli/command@0.2.0", "command"),
        ((), ("wasi:clocks/types@0.3.2", "wasi:io/poll@0.2.9"), "0.3", "", None),
        (("acme:shop/cart@0.2.0",), ("wasi:io/poll@0.2.9",), "0.2", "", None),
        (("wasi:http/incoming-handler",), (), None, "", None),
    ],
)
def test_the_wasi_version_is_that_of_the_exports_first(
    exports: tuple[str, ...], imports: tuple[str, ...], wasi: str | None, world: str, run: str | None
) -> None:
    seen = inspect(exporting(*exports, imports=imports))
    assert (seen.wasi, seen.world, seen.run) == (wasi, world, run)


def test_a_library_module_has_no_way_to_run() -> None:
    seen = inspect(bytes(wat2wasm('(module (func (export "add")))')))
    assert (seen.wasi, seen.world, seen.run) == (None, "", None)


def test_a_mapped_file_is_read_and_can_be_closed_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "big.wasm"
    head = exporting("wasi:cli/run@0.2.0") + b"\x00" + uleb(20 << 20)
    path.write_bytes(head)
    os.truncate(path, len(head) + (20 << 20))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        seen = inspect(mapped)
    assert (seen.run, seen.size) == ("command", path.stat().st_size)


def test_a_refused_mapped_file_can_be_closed_too(tmp_path: Path) -> None:
    path = tmp_path / "cut.wasm"
    path.write_bytes(exporting("wasi:cli/run@0.2.0")[:-1])
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        pytest.raises(InvalidModule, match="truncated"),
    ):
        inspect(mapped)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b"\x7fELF\2\1\1", r"precompiled \(ELF\).*push the \.wasm itself"),
        (b";; hello\n (; block ;) (module)", "the text format.*wasm-tools parse"),
        (b"(component)", "the text format.*wasm-tools parse"),
        (b"\x1f\x8b\x08\x00", "a gzip archive.*unpack"),
        (b"#!/bin/sh\n", "a script"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"\0as", "begin 00 61 73"),
        (b"\0asm\1\0", "got 6 bytes, expected at least 8"),
        (b"\0asm\2\0\0\0", "version 2, layer 0"),
        (b"\0asm\x0c\0\1\0", "version 12, layer 1.*rebuild"),
        (MODULE + b"\x02", "truncated"),
        (MODULE + section(2, b"\x06" + name("a") + name("b") + b"\x09"), "a count of 6 with 5 bytes left"),
        (MODULE + section(2, vec([name("a") + name("b") + b"\x09"])), "an import of kind 9"),
        (MODULE + section(7, uleb(200_000)), "a count of 200000, expected at most 100000"),
        (MODULE + section(7, b"\0more"), "4 bytes after the last entry"),
        (MODULE + section(2, vec([b"\x01\xff" + name("b") + b"\0\0"])), "not UTF-8"),
        (COMPONENT + section(10, vec([b"\x07" + name("a") + b"\x05\0"])), "a name of form 7"),
        (COMPONENT + section(10, vec([b"\0" + name("a") + b"\x06\0"])), "a description of kind 6"),
        (COMPONENT + section(10, vec([b"\0" + name("a") + b"\x00\x10\0"])), "byte 0x10, expected 0x11"),
        (COMPONENT + section(11, vec([b"\0" + name("a") + b"\x05\0"])), "truncated"),
    ],
)
def test_what_is_not_webassembly_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(InvalidModule, match=message):
        inspect(data)


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(words, words), max_size=8), st.lists(words, max_size=8, unique=True))
def test_the_engine_reads_the_same_names_from_a_module(imports: list[tuple[str, str]], exports: list[str]) -> None:
    data = (
        MODULE
        + section(1, vec([b"\x60\0\0"]))
        + section(2, vec(name(m) + name(n) + b"\0\0" for m, n in imports))
        + section(6, vec([b"\x7f\0\x41\0\x0b"]))
        + section(7, vec(name(n) + b"\x03\0" for n in exports))
    )
    module, seen = Module(Engine(), data), inspect(data)
    assert seen.imports == tuple(dict.fromkeys(f"{i.module}.{i.name}" for i in module.imports))
    assert seen.exports == tuple(export.name for export in module.exports)


labels = st.from_regex(r"\A[a-z][a-z0-9]{0,6}(-[a-z][a-z0-9]{0,4})?\Z")


@given(st.lists(labels, max_size=6, unique=True), st.lists(labels, max_size=6, unique=True))
def test_the_engine_reads_the_same_names_from_a_component(imports: list[str], exports: list[str]) -> None:
    data = exporting(*exports, imports=tuple(imports))
    engine = Engine()
    kind = component.Component(engine, data).type
    seen = inspect(data)
    assert sorted(seen.imports) == sorted(kind.imports(engine))
    assert sorted(seen.exports) == sorted(kind.exports(engine))


@given(st.sampled_from([PREVIEW1, PARTS]), st.data())
def test_no_mutation_of_a_binary_does_more_than_refuse_it(source: str, choice: st.DataObject) -> None:
    data = bytearray(wat2wasm(source))
    for _ in range(choice.draw(st.integers(1, 4))):
        data[choice.draw(st.integers(0, len(data) - 1))] = choice.draw(st.integers(0, 255))
    _inspect_or_refuse(bytes(data[: choice.draw(st.integers(0, len(data)))]))


@given(st.sampled_from([MODULE, COMPONENT, b""]), st.binary(max_size=200))
def test_no_bytes_at_all_do_more_than_be_refused(head: bytes, tail: bytes) -> None:
    _inspect_or_refuse(head + tail)


def _inspect_or_refuse(data: bytes) -> None:
    with contextlib.suppress(InvalidModule):
        assert inspect(data).size == len(data)
