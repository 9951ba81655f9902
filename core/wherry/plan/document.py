"""JSON documents of plans: bounded, without repeated keys, every fault in one StartError."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from wherry.errors import FieldError, StartError
from wherry.plan.model import Limits
from wherry.spec.record import Record
from wherry.spec.shape import Integer, Schema, Shape, Wrong
from wherry.spec.wording import describe

T = TypeVar("T")
MAX_TEXT = 1 << 20


@dataclass(frozen=True)
class Seconds(Shape[float]):
    def phrase(self) -> str:
        return "seconds, a number that is not negative"

    def read(self, value: object, at: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
            raise Wrong(FieldError(at, describe(value), self.phrase()))
        return float(value)

    def schema(self) -> Schema:
        return {"type": "number", "minimum": 0}


LIMITS = Record(
    Limits,
    {
        "memory": Integer(0, 2**63 - 1),
        "timeout": Seconds(),
        "fuel": Integer(1, 2**63 - 1),
        "concurrency": Integer(1, 65_536),
    },
)


def load(text: str) -> Any:
    """Raises StartError with the reason `plan`."""
    if len(text) > MAX_TEXT:
        raise StartError("plan", f"the plan has {len(text)} characters, expected at most {MAX_TEXT}")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise StartError("plan", f"the plan is no JSON: {error}") from None


def read(shape: Shape[T], value: object) -> T:
    """Raises StartError with the reason `plan` and every fault."""
    try:
        return shape.read(value, "plan")
    except Wrong as wrong:
        raise StartError("plan", "; ".join(map(str, wrong.faults))) from None


def dump(shape: Shape[T], value: T) -> str:
    return json.dumps(shape.write(value), ensure_ascii=False, separators=(",", ":"))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)} is there again")
    return entries


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")
