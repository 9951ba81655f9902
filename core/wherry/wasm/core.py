"""Import and export names of a core module (core specification §5.5.5 and §5.5.10)."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.wasm.binary import Bytes, Reader, sections, wrong
from wherry.wasm.names import NAMES_LIMIT, Names, names_in

IMPORTS, EXPORTS = 2, 7
FUNCTION, TABLE, MEMORY, GLOBAL, TAG = range(5)
REF, REF_NULL = 0x64, 0x63
ENTRY = "_start"
HAS_MAXIMUM, HAS_PAGE_SIZE = 0x01, 0x08


def names(data: Bytes) -> Names:
    """Imports as `module.name`, since a core module asks for single functions; exports as they are called.

    A `_start` that is no function is left out: nothing can be entered there.
    """
    return names_in(data, (IMPORTS, _imports), (EXPORTS, _exports))


def imports_memory(data: Bytes) -> bool:
    """Whether one of its memories is another module's. Raises InvalidModule."""
    imports = (each.reader(data) for each in sections(data) if each.id == IMPORTS)
    return any(kind == MEMORY for reader in imports for _, kind in _entries(reader))


def _imports(reader: Reader) -> list[str]:
    return [label for label, _ in _entries(reader)]


def _entries(reader: Reader) -> Iterator[tuple[str, int]]:
    """Imports and their kinds."""
    for _ in range(reader.count(NAMES_LIMIT)):
        label = f"{reader.name()}.{reader.name()}"
        yield label, _skip_type(reader)
    reader.finish()


def _exports(reader: Reader) -> list[str]:
    found = []
    for _ in range(reader.count(NAMES_LIMIT)):
        name, kind = reader.name(), reader.byte()
        reader.u32()
        if name != ENTRY or kind == FUNCTION:
            found.append(name)
    reader.finish()
    return found


def _skip_type(reader: Reader) -> int:
    """Move over the type of an import; its kind."""
    kind = reader.byte()
    if kind == FUNCTION:
        reader.u32()
    elif kind == TABLE:
        _skip_value_type(reader)
        _skip_limits(reader)
    elif kind == MEMORY:
        _skip_limits(reader)
    elif kind == GLOBAL:
        _skip_value_type(reader)
        reader.byte()
    elif kind == TAG:
        reader.byte()
        reader.u32()
    else:
        raise wrong(reader.offset - 1, f"an import of kind {kind}", f"a kind up to {TAG}")
    return kind


def _skip_value_type(reader: Reader) -> None:
    if reader.byte() in (REF, REF_NULL):
        reader.skip_integer()


def _skip_limits(reader: Reader) -> None:
    flags = reader.byte()
    reader.skip_integer()
    if flags & HAS_MAXIMUM:
        reader.skip_integer()
    if flags & HAS_PAGE_SIZE:
        reader.u32()
