"""Component types, walked byte by byte: skipped, or copied with every type index renumbered.

Component model, Binary.md, type definitions. What a type says need not be understood to be moved to another index
space.
"""

from __future__ import annotations

from collections.abc import Callable

from wherry.errors import StartError
from wherry.wasm.binary import Reader, name, uleb, wrong

Renumber = Callable[[int], int]

PARTS_LIMIT = 100_000
FUNCTION, RESOURCE = 0x40, 0x3F
RECORD, VARIANT, LIST, TUPLE, FLAGS, ENUM, OPTION, RESULT, OWN, BORROW = (
    *range(0x72, 0x6C, -1),
    *range(0x6B, 0x67, -1),
)
FIRST_PRIMITIVE = 0x64
NEGATIVE = 0x40
"""A value type is a signed number: one byte with this bit and no continuation is a primitive, all else an index."""


def unsupported(what: str) -> StartError:
    """The error for a component that is spelt in a way that the composer does not know."""
    return StartError("unsupported", f"the component has {what}", cure="build it with a current WASI 0.2 toolchain")


def copied(reader: Reader, renumber: Renumber) -> bytes:
    """One type definition, moved: its indices are passed through renumber."""
    copier = _Copier(reader, renumber)
    copier.definition()
    return bytes(copier.out)


def skip_type(reader: Reader, types: int) -> None:
    """Move over one type definition, whose indices are below `types`."""
    _Copier(reader, lambda index: _below(index, types, reader)).definition()


def earlier(reader: Reader, types: int) -> int:
    """The index of one of the first `types` types."""
    return _below(reader.u32(), types, reader)


def _below(index: int, types: int, reader: Reader) -> int:
    if index >= types:
        raise wrong(reader.offset, f"type {index}", f"one of the {types} before it")
    return index


def sleb(value: int) -> bytes:
    """A non-negative number as a signed LEB128, which is how a value type spells an index."""
    encoded = bytearray(uleb(value))
    if encoded[-1] & NEGATIVE:
        encoded[-1] |= 0x80
        encoded.append(0)
    return bytes(encoded)


class _Copier:
    """Copies from reader to `out`."""

    def __init__(self, reader: Reader, renumber: Renumber) -> None:
        self._reader = reader
        self._renumber = renumber
        self.out = bytearray()

    def definition(self) -> None:
        kind = self._byte()
        if kind == FUNCTION:
            self._each(self._labelled)
            self._results()
        elif kind in _SHAPES:
            _SHAPES[kind](self)
        elif kind < FIRST_PRIMITIVE or kind > 0x7F:
            raise unsupported(f"a type of kind {kind:#x}")

    def _byte(self) -> int:
        byte = self._reader.byte()
        self.out.append(byte)
        return byte

    def _u32(self) -> None:
        self.out += uleb(self._reader.u32())

    def _index(self) -> None:
        self.out += uleb(self._renumber(self._reader.u32()))

    def _label(self) -> None:
        self.out += name(self._reader.name())

    def _each(self, part: Callable[[], None]) -> None:
        count = self._reader.count(PARTS_LIMIT)
        self.out += uleb(count)
        for _ in range(count):
            part()

    def _value(self) -> None:
        before = self._reader.offset
        first = self._reader.byte()
        if first & 0x80 == 0 and first & NEGATIVE:
            self.out.append(first)
            return
        self._reader.offset = before
        self.out += sleb(self._renumber(self._reader.u32()))

    def _labelled(self) -> None:
        self._label()
        self._value()

    def _optional(self) -> None:
        if self._byte():
            self._value()

    def _case(self) -> None:
        self._label()
        self._optional()
        self._byte()

    def _results(self) -> None:
        """One unnamed result, or (0x01 0x00) none."""
        if self._byte():
            self._each(self._labelled)
        else:
            self._value()

    def _result(self) -> None:
        self._optional()
        self._optional()


_SHAPES: dict[int, Callable[[_Copier], None]] = {
    RECORD: lambda copier: copier._each(copier._labelled),
    VARIANT: lambda copier: copier._each(copier._case),
    LIST: _Copier._value,
    TUPLE: lambda copier: copier._each(copier._value),
    FLAGS: lambda copier: copier._each(copier._label),
    ENUM: lambda copier: copier._each(copier._label),
    OPTION: _Copier._value,
    RESULT: _Copier._result,
    OWN: _Copier._index,
    BORROW: _Copier._index,
}
