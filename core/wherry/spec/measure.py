"""Shapes of sizes, times and resources."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from wherry.errors import FieldError
from wherry.spec.quantity import (
    DURATION,
    DURATION_EXPECTED,
    QUANTITY,
    QUANTITY_EXPECTED,
    Quantity,
    format_bytes,
    format_duration,
    parse_bytes,
    parse_duration_between,
    parse_quantity,
)
from wherry.spec.shape import Notation, Schema, Shape, Wrong, parsed, validations
from wherry.spec.wording import describe

MAX_TEXT = 48


@dataclass(frozen=True)
class Amount(Shape[Quantity]):
    """A quantity of a Pod's resources, passed through as written."""

    def phrase(self) -> str:
        return QUANTITY_EXPECTED

    def read(self, value: object, at: str) -> Quantity:
        text = _quantity_text(value, at)
        parsed(parse_quantity, text, at)
        return Quantity(text)

    def schema(self) -> Schema:
        return _quantity_schema()

    def write(self, value: Quantity) -> object:
        return value.text


@dataclass(frozen=True)
class Bytes(Shape[int]):
    """Whole bytes from least to most."""

    least: int
    most: int

    def phrase(self) -> str:
        return f"{format_bytes(self.least)} to {format_bytes(self.most)}"

    def read(self, value: object, at: str) -> int:
        text = _quantity_text(value, at)
        if not self.least <= parsed(parse_quantity, text, at) <= self.most:
            raise Wrong(FieldError(at, describe(value), self.phrase()))
        return parse_bytes(text)

    def schema(self) -> Schema:
        low, high = (f"quantity(string(self)).compareTo(quantity('{bound}'))" for bound in (self.least, self.most))
        return _quantity_schema() | validations([(f"{low} >= 0 && {high} <= 0", f"expected {self.phrase()}")])

    def write(self, value: int) -> object:
        return format_bytes(value)


def _quantity_text(value: object, at: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return str(value)
    if not isinstance(value, str):
        cure = f'try "{value}" with quotes' if isinstance(value, float) else ""
        raise Wrong(FieldError(at, describe(value), QUANTITY_EXPECTED, cure))
    if len(value) > MAX_TEXT:
        raise Wrong(FieldError(at, f"{len(value)} characters", f"at most {MAX_TEXT}"))
    return value


def _quantity_schema() -> Schema:
    return {"x-kubernetes-int-or-string": True, "maxLength": MAX_TEXT, "minimum": 0, "pattern": f"^(?:{QUANTITY})$"}


def duration(least: str, most: str = "8760h") -> Notation[float]:
    """Seconds, written as a Go duration between the two."""
    within = f"duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    return Notation(
        parse=lambda text: parse_duration_between(text, least, most),
        render=format_duration,
        pattern=DURATION,
        expected=DURATION_EXPECTED,
        rules=((within, f"expected {least} to {most}"),),
    )


def never_or(shape: Notation[float]) -> Notation[float]:
    """A duration or the word Never, which is infinite."""
    return Notation(
        parse=lambda text: math.inf if text == "Never" else shape.parse(text),
        render=lambda seconds: "Never" if seconds == math.inf else shape.render(seconds),
        pattern=f"Never|{shape.pattern}",
        expected=f"Never or {DURATION_EXPECTED}",
        rules=tuple((f"self == 'Never' || ({cel})", message) for cel, message in shape.rules),
    )


@dataclass(frozen=True)
class CountOrPercent(Shape[int | str]):
    """A number of Pods, or a part of them: `1`, `25%`."""

    def phrase(self) -> str:
        return "a number or a percentage such as 25%"

    def read(self, value: object, at: str) -> int | str:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
            return value
        if isinstance(value, str) and re.fullmatch(self._percent, value, re.ASCII):
            return value
        raise Wrong(FieldError(at, describe(value), self.phrase()))

    def schema(self) -> Schema:
        bounds = {"minimum": 0, "maximum": 2**31 - 1, "maxLength": 4}
        return {"x-kubernetes-int-or-string": True, "pattern": f"^(?:{self._percent})$"} | bounds

    _percent = "100%|[0-9]{1,2}%"
