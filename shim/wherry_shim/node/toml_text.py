"""TOML as text: where its statements and values lie, so that a file can be changed without touching another byte.

The text must have passed a TOML parser before: what is found here is where things are, never whether they are right.
https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
_KEY_PART = rf"(?:[A-Za-z0-9_-]+|{_QUOTED})"
_KEY = rf"{_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART})*"
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_HEADER = re.compile(rf"\[\[?[ \t]*(?P<key>{_KEY})[ \t]*\]\]?")
_PAIR = re.compile(rf"(?P<key>{_KEY})[ \t]*=[ \t]*")
_TOKEN = re.compile(
    rf"""(?P<string>\"{{3}}(?:[^\\]|\\.)*?\"{{3,5}}|'{{3}}.*?'{{3,5}}|{_QUOTED})"""
    r"|(?P<comment>#[^\n]*)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)|(?P<newline>\r?\n)|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A `[table]` or a `key = value`, as offsets into the text: [start, end) without indentation or comment.

    key: of the statement alone, not of the table that it is in. value: where a pair's value starts; end for a header.
    """

    key: tuple[str, ...]
    is_header: bool
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a value: string, open, close, comma, comment, newline or other."""

    kind: str
    start: int
    end: int


def statements(text: str) -> Iterator[Statement]:
    """Every statement in order."""
    position = _after(_BETWEEN.match(text))
    while position < len(text):
        if header := _HEADER.match(text, position):
            end = header.end()
            yield Statement(_path(header["key"]), True, position, end, end)
        else:
            pair = _PAIR.match(text, position)
            if pair is None:
                raise ValueError(f"no TOML statement at offset {position}")
            end = _value_end(text, pair.end())
            yield Statement(_path(pair["key"]), False, position, pair.end(), end)
        position = _after(_BETWEEN.match(text, end))


def top_level(text: str) -> Iterator[Statement]:
    """The pairs before the first table header."""
    for statement in statements(text):
        if statement.is_header:
            return
        yield statement


def tokens(text: str, start: int, end: int) -> Iterator[Token]:
    """The pieces of the value that lies in [start, end)."""
    for found in _TOKEN.finditer(text, start, end):
        yield Token(str(found.lastgroup), found.start(), found.end())


def string(text: str) -> str:
    """What a string token means. Escapes are resolved."""
    value = tomllib.loads(f"x = {text}")["x"]
    assert isinstance(value, str)  # noqa: S101  tokens of this kind are strings
    return value


def newline(text: str) -> str:
    """How the lines of this text end."""
    return "\r\n" if "\r\n" in text else "\n"


def _value_end(text: str, start: int) -> int:
    depth, end = 0, start
    for token in tokens(text, start, len(text)):
        if depth == 0 and token.kind in {"newline", "comment"}:
            break
        depth += {"open": 1, "close": -1}.get(token.kind, 0)
        if not text[token.start : token.end].isspace():
            end = token.end
    return end


def _path(key: str) -> tuple[str, ...]:
    parts: list[str] = []
    level: object = tomllib.loads(f"{key} = 0")
    while isinstance(level, dict):
        (name, level), *_ = level.items()
        parts.append(name)
    return tuple(parts)


def _after(found: re.Match[str] | None) -> int:
    assert found is not None  # noqa: S101  the pattern matches the empty text
    return found.end()
