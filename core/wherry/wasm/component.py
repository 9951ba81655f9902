"""Import and export names of a component (component model, Binary.md, import and export definitions)."""

from __future__ import annotations

from wherry.wasm.binary import Bytes, Reader, wrong
from wherry.wasm.names import NAMES_LIMIT, Names, names_in

IMPORTS, EXPORTS = 10, 11
CORE, FUNCTION, VALUE, TYPE, COMPONENT, INSTANCE = range(6)
CORE_MODULE = 0x11
PLAIN_NAMES = (0x00, 0x01)


def names(data: Bytes) -> Names:
    """Interfaces and plain names of the outermost component."""
    return names_in(data, (IMPORTS, _imports), (EXPORTS, _exports))


def _imports(reader: Reader) -> list[str]:
    found = []
    for _ in range(reader.count(NAMES_LIMIT)):
        found.append(_name(reader))
        _skip_description(reader)
    reader.finish()
    return found


def _exports(reader: Reader) -> list[str]:
    found = []
    for _ in range(reader.count(NAMES_LIMIT)):
        found.append(_name(reader))
        if reader.byte() == CORE:
            reader.byte()
        reader.u32()
        if reader.byte():
            _skip_description(reader)
    reader.finish()
    return found


def _name(reader: Reader) -> str:
    form = reader.byte()
    if form not in PLAIN_NAMES:
        raise wrong(reader.offset - 1, f"a name of form {form}", "0 or 1")
    return reader.name()


def _skip_description(reader: Reader) -> None:
    kind = reader.byte()
    if kind > INSTANCE:
        raise wrong(reader.offset - 1, f"a description of kind {kind}", f"a kind up to {INSTANCE}")
    if kind in (VALUE, TYPE):
        _skip_bound(reader, kind)
        return
    if kind == CORE:
        _expect(reader, CORE_MODULE)
    reader.u32()


def _skip_bound(reader: Reader, kind: int) -> None:
    """A type is equal to another or a fresh resource; a value has another's type or a type of its own."""
    by_index = reader.byte() == 0
    if by_index:
        reader.u32()
    elif kind == VALUE:
        reader.skip_integer()


def _expect(reader: Reader, byte: int) -> None:
    found = reader.byte()
    if found != byte:
        raise wrong(reader.offset - 1, f"byte {found:#04x}", f"{byte:#04x}")
