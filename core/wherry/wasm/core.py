"""Import and export names of a core module (core specification §5.5.5 and §5.5.10)."""

from __future__ import annotations

from wherry.wasm.binary import Bytes, Reader, wrong
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


def _imports(reader: Reader) -> list[str]:
    found = []
    for _ in range(reader.count(NAMES_LIMIT)):
        found.append(f"{reader.name()}.{reader.name()}")
        _skip_type(reader)
    reader.finish()
    return found


def _exports(reader: Reader) -> list[str]:
    found = []
    for _ in range(reader.count(NAMES_LIMIT)):
        name, kind = reader.name(), reader.byte()
        reader.u32()
        if name != ENTRY or kind == FUNCTION:
            found.append(name)
    reader.finish()
    return found


def _skip_type(reader: Reader) -> None:
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
