"""The names that a binary imports and exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wherry.wasm.binary import Bytes, Reader, sections

NAMES_LIMIT = 100_000
"""Imports, or exports, of one section: the limit that WebAssembly engines agree on (JS API, implementation limits)."""


@dataclass(frozen=True, slots=True)
class Names:
    """In the binary's order, without duplicates."""

    imports: tuple[str, ...]
    exports: tuple[str, ...]


ReadNames = Callable[[Reader], list[str]]
"""Reads the names of one section, whole."""


def names_in(data: Bytes, imports: tuple[int, ReadNames], exports: tuple[int, ReadNames]) -> Names:
    """The names in all sections of these two kinds; each is given with what reads it."""
    found: dict[int, list[str]] = {imports[0]: [], exports[0]: []}
    read = dict((imports, exports))
    for kind, start, end in sections(data):
        if kind in found:
            found[kind] += read[kind](Reader(data, start, end))
    return Names(*(tuple(dict.fromkeys(found[kind])) for kind in (imports[0], exports[0])))
