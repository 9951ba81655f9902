"""Shapes: what a value of a document may be.

One shape reads a value, describes it to Kubernetes (a structural OpenAPI schema) and writes it back, so that our parser
and the API server cannot disagree. Scalars are here; `record` and `collection` build on them.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wherry.errors import FieldError, InvalidValue
from wherry.spec.wording import choices, describe, span, suggest

T = TypeVar("T")
Schema = dict[str, Any]
EXACT = 2**53 - 1
"""The largest integer that every reader of JSON keeps exactly."""


class Wrong(Exception):
    """Every fault that was found in one value. Never leaves wherry.spec, wherry.plan and what the operator renders."""

    def __init__(self, *faults: FieldError) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


class Gather:
    """Reads on past what is wrong: each `with` block may fail, and `settle` raises the faults of all."""

    def __init__(self, faults: Iterable[FieldError] = ()) -> None:
        self.faults = [*faults]

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if not isinstance(error, Wrong):
            return False
        self.faults.extend(error.faults)
        return True

    def settle(self) -> None:
        if self.faults:
            raise Wrong(*self.faults)


class Shape(ABC, Generic[T]):
    """How a value of type T looks in a document."""

    @abstractmethod
    def phrase(self) -> str:
        """What is expected, in a few words."""

    @abstractmethod
    def read(self, value: object, at: str) -> T:
        """The typed value. `at` is its path. Raises Wrong with every fault below it."""

    @abstractmethod
    def schema(self) -> Schema:
        """Its structural OpenAPI schema, without description and default."""

    def write(self, value: T) -> object:
        """The value as plain data: `read(write(value)) == value`."""
        return value


@dataclass(frozen=True)
class Boolean(Shape[bool]):
    def phrase(self) -> str:
        return "true or false"

    def read(self, value: object, at: str) -> bool:
        if not isinstance(value, bool):
            raise Wrong(FieldError(at, describe(value), self.phrase()))
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Integer(Shape[int]):
    least: int = 0
    most: int = 2**31 - 1

    def phrase(self) -> str:
        return span(self.least, self.most)

    def read(self, value: object, at: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(FieldError(at, describe(value), "a whole number", _unquoted(value)))
        if not self.least <= value <= self.most:
            raise Wrong(FieldError(at, describe(value), self.phrase()))
        return value

    def schema(self) -> Schema:
        size = "int32" if self.most < 2**31 else "int64"
        return {"type": "integer", "format": size, "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Text(Shape[str]):
    """A string. `pattern` matches all of it and means the same to Python's re.ASCII and to Go's RE2."""

    expected: str = "a string"
    pattern: str = ""
    least: int = 0
    most: int = 4096
    but: tuple[str, ...] = ()

    def phrase(self) -> str:
        return self.expected

    def read(self, value: object, at: str) -> str:
        if not isinstance(value, str):
            raise Wrong(FieldError(at, describe(value), self.expected, _quoted(value)))
        if len(value) > self.most:
            raise Wrong(FieldError(at, f"{len(value)} characters", f"at most {self.most}"))
        if len(value) < self.least or (self.pattern and not re.fullmatch(self.pattern, value, re.ASCII)):
            raise Wrong(FieldError(at, describe(value), self.expected))
        if value in self.but:
            raise Wrong(FieldError(at, describe(value), f"another name than {choices(self.but)}"))
        return value

    def schema(self) -> Schema:
        return text_schema(self.pattern, self.most, self.least) | ({"not": {"enum": [*self.but]}} if self.but else {})


Word = TypeVar("Word", bound=str)


@dataclass(frozen=True)
class Choice(Shape[Word]):
    words: tuple[Word, ...]

    def phrase(self) -> str:
        return choices(self.words)

    def read(self, value: object, at: str) -> Word:
        for word in self.words:
            if value == word:
                return word
        cure = suggest(value, self.words) if isinstance(value, str) and len(self.words) > 1 else ""
        raise Wrong(FieldError(at, describe(value), self.phrase(), cure))

    def schema(self) -> Schema:
        return {"type": "string", "enum": [*self.words]}


@dataclass(frozen=True)
class Notation(Shape[T]):
    """A string with a grammar of its own: `parse` raises InvalidValue, `render` is its inverse."""

    parse: Callable[[str], T]
    render: Callable[[T], str]
    pattern: str
    expected: str
    most: int = 64
    rules: tuple[tuple[str, str], ...] = ()
    """What `parse` refuses beyond the pattern, for the API server: (CEL, message)."""

    def phrase(self) -> str:
        return self.expected

    def read(self, value: object, at: str) -> T:
        if not isinstance(value, str):
            raise Wrong(FieldError(at, describe(value), self.expected, self._cure(value)))
        if len(value) > self.most:
            raise Wrong(FieldError(at, f"{len(value)} characters", f"at most {self.most}"))
        return parsed(self.parse, value, at)

    def schema(self) -> Schema:
        return text_schema(self.pattern, self.most) | validations(self.rules)

    def write(self, value: T) -> str:
        return self.render(value)

    def _cure(self, value: object) -> str:
        """A number where a text belongs most often lacks its unit; the parser knows which."""
        if isinstance(value, bool) or not isinstance(value, int):
            return ""
        try:
            self.parse(str(value))
        except (InvalidValue, ValueError) as error:
            return getattr(error, "cure", "")
        return _quoted(value)


def parsed(parse: Callable[[str], T], text: str, at: str) -> T:
    """`parse(text)`, with its InvalidValue told at `at`."""
    try:
        return parse(text)
    except InvalidValue as error:
        raise Wrong(FieldError(at, error.got, error.expected, error.cure)) from None


def text_schema(pattern: str, most: int, least: int = 0) -> Schema:
    bounds: Schema = {"minLength": least} if least else {}
    return {"type": "string", "maxLength": most} | bounds | ({"pattern": f"^(?:{pattern})$"} if pattern else {})


def validations(rules: Sequence[tuple[str, str]]) -> Schema:
    """CEL rules as the API server reads them."""
    if not rules:
        return {}
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


def _quoted(value: object) -> str:
    """YAML reads on, 1.0 and 08 as something else than text."""
    return "try quotes around it" if isinstance(value, bool | int | float) else ""


def _unquoted(value: object) -> str:
    return f"try {value} without quotes" if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) else ""
