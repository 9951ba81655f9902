"""The names that a binary imports and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from wherry.wasm.binary import Bytes, Reader, Section, sections, wrong

NAMES_LIMIT = 100_000
"""Imports, or exports, of a binary: the limit that WebAssembly engines agree on (JS API, implementation limits)."""
NAMES_BYTES = 8 << 20
"""Bytes of the sections that hold them: a binary of any size makes its reader remember no more than that."""


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
    for kind, start, end in _within(NAMES_BYTES, (each for each in sections(data) if each.id in found)):
        found[kind] += read[kind](Reader(data, start, end))
        if len(found[kind]) > NAMES_LIMIT:
            raise wrong(start, f"{len(found[kind])} names in all", f"at most {NAMES_LIMIT}")
    return Names(*(tuple(dict.fromkeys(found[kind])) for kind in (imports[0], exports[0])))


def _within(limit: int, given: Iterable[Section]) -> Iterator[Section]:
    total = 0
    for section in given:
        total += section.end - section.start
        if total > limit:
            raise wrong(section.start, f"names of {total} bytes", f"at most {limit}")
        yield section
