"""YAML as Kubernetes reads it, within bounds: text in, plain data out.

The same scalars as kubectl (YAML 1.1 booleans and numbers, no dates). A key that is repeated, an alias that makes the
document grow, a tag that makes an object and a document that is too large or too deep are refused, each with its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from wherry.spec.wording import cut, step

MAX_TEXT = 1 << 20
"""Characters. An object of this size would not fit into etcd."""
MAX_NODES = 100_000
"""Values, with every alias counted as what it stands for."""
MAX_DEPTH = 64

_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_STRING = "tag:yaml.org,2002:str"


class Malformed(Exception):
    """Text that is no acceptable YAML. line counts from 1."""

    def __init__(self, line: int, got: str, expected: str) -> None:
        self.line, self.got, self.expected = line, got, expected
        super().__init__(f"line {line}: got {got}, expected {expected}")


def load(text: str) -> list[object]:
    """Every document of a text that is not empty. Raises Malformed."""
    if len(text) > MAX_TEXT:
        raise Malformed(1, f"{len(text)} characters", f"at most {MAX_TEXT}")
    try:
        text.encode()
        return list(_documents(yaml.parse(text, Loader=yaml.SafeLoader)))
    except UnicodeEncodeError as error:
        raise Malformed(
            text.count("\n", 0, error.start) + 1, "half a character", "text that is valid Unicode"
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Malformed(line, f"the character {error.character!r}", "printable text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = cut(str(error.problem or error.context))
        raise Malformed(mark.line + 1 if mark else 1, f"text that is no YAML ({reason})", "valid YAML") from None


def _documents(events: Iterator[Event]) -> Iterator[object]:
    for event in events:
        if isinstance(event, DocumentStartEvent):
            value = _Document(events).value(next(events), 0)
            if value is not None:
                yield value


@dataclass
class _Document:
    """One document being built. Anchors are known once they are complete, so that none can contain itself."""

    events: Iterator[Event]
    anchors: dict[str, tuple[object, int]] = field(default_factory=dict)
    nodes: int = 0

    def value(self, event: Event, depth: int) -> object:
        before = self.nodes
        self._count(1, event)
        if depth > MAX_DEPTH:
            raise _malformed(event, f"more than {MAX_DEPTH} levels", "a flatter document")
        value = self._build(event, depth)
        if (anchor := getattr(event, "anchor", None)) and not isinstance(event, AliasEvent):
            self.anchors[anchor] = (value, self.nodes - before)
        return value

    def _build(self, event: Event, depth: int) -> object:
        match event:
            case AliasEvent():
                return self._alias(event)
            case ScalarEvent():
                return _scalar(event)
            case SequenceStartEvent():
                _check_tag(event, event.tag)
                return [self.value(item, depth + 1) for item in self._until(SequenceEndEvent)]
            case _:
                return self._mapping(event, depth)

    def _alias(self, event: AliasEvent) -> object:
        if event.anchor not in self.anchors:
            raise _malformed(event, f"*{cut(str(event.anchor))}", "an anchor that was complete before")
        value, size = self.anchors[event.anchor]
        self._count(size, event)
        return value

    def _mapping(self, start: Event, depth: int) -> dict[str, object]:
        _check_tag(start, getattr(start, "tag", None))
        entries: dict[str, object] = {}
        merged: list[dict[str, object]] = []
        for event in self._until(MappingEndEvent):
            key = _key(event)
            value = self.value(next(self.events), depth + 1)
            if key == "<<" and _is_plain(event):
                merged.extend(_merge(value, event))
            elif key in entries:
                raise _malformed(event, f"the key {step(key)} again", "each key once")
            else:
                entries[key] = value
        for each in merged:
            entries = each | entries
        return entries

    def _until(self, end: type[Event]) -> Iterator[Event]:
        while not isinstance(event := next(self.events), end | DocumentEndEvent):
            yield event

    def _count(self, size: int, event: Event) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            raise _malformed(event, f"more than {MAX_NODES} values", "a smaller document, with fewer aliases")


def _key(event: Event) -> str:
    if not isinstance(event, ScalarEvent):
        raise _malformed(event, "a key that is no text", "a name")
    text = _valid_text(event)
    if _is_plain(event) and str(resolve(text)) != text:
        raise _malformed(
            event, f"the key {step(text) or 'of nothing'}", "quotes around what YAML takes for something else"
        )
    return text


def _merge(value: object, event: Event) -> list[dict[str, object]]:
    """What `<<` adds: the first mapping wins, and the mapping's own keys win over all."""
    given: list[object] = value if isinstance(value, list) else [value]
    mappings = [each for each in given if isinstance(each, dict)]
    if len(mappings) < len(given):
        raise _malformed(event, "<< with something else", "a mapping, or a list of mappings")
    return mappings


def _is_plain(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and event.implicit[0]


def _scalar(event: ScalarEvent) -> object:
    _check_tag(event, event.tag)
    text = _valid_text(event)
    if event.tag == _STRING or not (event.implicit[0] or event.tag):
        return text
    return resolve(text)


def resolve(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar is."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text) and len(text) <= 64:
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _integer(text: str) -> int | float | str:
    digits = text.replace("_", "").lower()
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits.removeprefix("+"))
    octal = len(digits) > 1 and digits.startswith("0") and digits[1].isdigit()
    try:
        value = sign * int(digits, 8 if octal else 0)
    except ValueError:
        return text
    return value if -(2**63) <= value < 2**63 else float(value)


def _float(text: str) -> int | float | str:
    """A whole number is one however it is written, as it is after kubectl has made JSON of it."""
    value = float(text)
    if math.isinf(value):
        return text
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _valid_text(event: ScalarEvent) -> str:
    """JSON writes a character beyond 16 bits as two escapes; one of them alone is none."""
    text = str(event.value)
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise _malformed(event, "half a character", "text that is valid Unicode") from None


def _check_tag(event: Event, tag: str | None) -> None:
    if tag and tag not in _TAGS and tag != "!":
        raise _malformed(event, f"the tag {cut(tag)}", "plain YAML without tags")


def _malformed(event: Event, got: str, expected: str) -> Malformed:
    mark = event.start_mark
    return Malformed(mark.line + 1 if mark else 1, got, expected)
