"""Interfaces as a component spells them: the declarations of an imported instance.

Component model, Binary.md, type definitions. Forms that no WASI 0.2 toolchain writes raise StartError `unsupported`.
"""

from __future__ import annotations

from dataclasses import dataclass

from wherry.engine.adapter.renumber import copied, earlier, skip_type, unsupported
from wherry.wasm.binary import Bytes, Reader

DECLARATION_LIMIT = 100_000
DEFINE, ALIAS, EXPORT = 0x01, 0x02, 0x04
SORT_FUNC, SORT_TYPE, SORT_INSTANCE = 0x01, 0x03, 0x05
ALIAS_OF_EXPORT, ALIAS_OF_OUTER = 0x00, 0x02
EQUAL, FRESH = 0x00, 0x01


@dataclass(frozen=True, slots=True)
class Definition:
    """A type that the interface spells out: data[start:end] of the component it was read from."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Outer:
    """A type of the enclosing component, by its index there."""

    index: int


@dataclass(frozen=True, slots=True)
class TypeExport:
    """A named type: an earlier one of the interface, or, when `equal` is None, a resource of its own."""

    name: str
    equal: int | None


@dataclass(frozen=True, slots=True)
class FuncExport:
    """A function, by the index of its type in the interface."""

    name: str
    type: int


Declaration = Definition | Outer | TypeExport | FuncExport


@dataclass(frozen=True, slots=True)
class Interface:
    """An imported instance: `name` as written (`wasi:io/poll@0.2.6`) and its declarations, in order."""

    name: str
    data: Bytes
    declarations: tuple[Declaration, ...]

    @property
    def base(self) -> str:
        """The name without its version."""
        return self.name.partition("@")[0]

    def definition(self, span: Definition, local: list[int]) -> bytes:
        """One of its types, with the interface's type indices replaced by `local`'s."""
        return copied(Reader(self.data, span.start, span.end), local.__getitem__)


def declarations(reader: Reader) -> tuple[Declaration, ...]:
    """The body of an instance type, after its 0x42. Every index in it is one of an earlier type."""
    found: list[Declaration] = []
    types = 0
    for _ in range(reader.count(DECLARATION_LIMIT)):
        found.append(_declaration(reader, types))
        types += not isinstance(found[-1], FuncExport)
    return tuple(found)


def _declaration(reader: Reader, types: int) -> Declaration:
    kind = reader.byte()
    if kind == DEFINE:
        start = reader.offset
        skip_type(reader, types)
        return Definition(start, reader.offset)
    if kind == ALIAS:
        return _outer(reader)
    if kind == EXPORT:
        return _export(reader, types)
    raise unsupported(f"an instance type with a declaration of kind {kind:#x}")


def _outer(reader: Reader) -> Outer:
    if (reader.byte(), reader.byte(), reader.u32()) != (SORT_TYPE, ALIAS_OF_OUTER, 1):
        raise unsupported("an instance type that aliases something other than a type of its component")
    return Outer(reader.u32())


def _export(reader: Reader, types: int) -> Declaration:
    name = extern_name(reader)
    sort = reader.byte()
    if sort == SORT_FUNC:
        return FuncExport(name, earlier(reader, types))
    if sort == SORT_TYPE:
        return TypeExport(name, earlier(reader, types) if reader.byte() == EQUAL else None)
    raise unsupported(f"an interface with an export of sort {sort:#x}, {name}")


def extern_name(reader: Reader) -> str:
    """The name of an import or export. Form 0x01 is how older binaries marked an interface."""
    form = reader.byte()
    if form not in (0x00, 0x01):
        raise unsupported(f"an import or export name of form {form:#x}")
    return reader.name()
