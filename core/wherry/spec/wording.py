"""How a wrong value is worded: what was found, and which known name was probably meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable

LONGEST = 60


def describe(value: object) -> str:
    """A short phrase for any value of a document."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return _number(value)
        case str():
            return json.dumps(cut(value), ensure_ascii=False)
        case _:
            return "a list" if isinstance(value, list | tuple) else "a mapping"


def span(least: int, most: int) -> str:
    """`exactly 1`, `0 to 16`, `1 or more`."""
    if most >= 2**31 - 1:
        return f"{least} or more"
    return f"exactly {least}" if least == most else f"{least} to {most}"


def _number(value: float) -> str:
    """Python refuses to write out an integer of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number of more than 64 bits"
    return f"the number {value}"


def suggest(name: str, known: Iterable[str]) -> str:
    """`try NAME` for the known name that was probably meant, else ""."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower()[:LONGEST], by_lower, n=1, cutoff=0.6)
    return f"try {by_lower[close[0]]}" if close else ""


def step(name: object) -> str:
    """A name as it stands in a path."""
    text = cut(str(name))
    return text if text.isprintable() else json.dumps(text)


def choices(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def cut(text: str) -> str:
    """No more of a text than a message may hold."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
