"""The names that a binary imports and exports."""

from __future__ import annotations

from dataclasses import dataclass

NAMES_LIMIT = 100_000
"""Imports, or exports, of one section: the limit that WebAssembly engines agree on (JS API, implementation limits)."""


@dataclass(frozen=True, slots=True)
class Names:
    """In the binary's order, without duplicates."""

    imports: tuple[str, ...]
    exports: tuple[str, ...]


def distinct(imports: list[str], exports: list[str]) -> Names:
    return Names(tuple(dict.fromkeys(imports)), tuple(dict.fromkeys(exports)))
