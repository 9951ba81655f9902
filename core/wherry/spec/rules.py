"""Rules between the fields of one record, each said once and checked twice: here, and by the API server as CEL.

A rule reads the fields that it names; when one of them is wrong by itself, the rule is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wherry.errors import FieldError
from wherry.spec.wording import choices

Values = Mapping[str, Any]
"""A record's fields by their names in the document; None where a field is absent."""


@dataclass(frozen=True)
class Rule:
    """fields: what is read. holds and cel: the same predicate. at: the field that is blamed, "" for the record."""

    fields: tuple[str, ...]
    holds: Callable[[Values], bool]
    cel: str
    at: str
    got: Callable[[Values], str]
    expected: str
    cure: str = ""

    def faults(self, values: Values, at: str) -> list[FieldError]:
        if self.holds(values):
            return []
        path = f"{at}.{self.at}" if self.at else at
        return [FieldError(path, self.got(values), self.expected, self.cure)]


def exactly_one(*names: str) -> Rule:
    """One of the fields, and no other of them."""
    return Rule(
        fields=names,
        holds=lambda values: len(_present(values, names)) == 1,
        cel=f"[{', '.join(f'has(self.{name})' for name in names)}].exists_one(given, given)",
        at="",
        got=lambda values: " and ".join(_present(values, names)) or "none of them",
        expected=f"exactly one of {', '.join(names)}",
    )


def at_least_one(*names: str) -> Rule:
    return Rule(
        fields=names,
        holds=lambda values: bool(_present(values, names)),
        cel=" || ".join(f"has(self.{name})" for name in names),
        at="",
        got=lambda _: "neither",
        expected=choices(names),
    )


def apart(first: str, second: str) -> Rule:
    """Not both fields."""
    return Rule(
        fields=(first, second),
        holds=lambda values: len(_present(values, (first, second))) < 2,
        cel=f"!(has(self.{first}) && has(self.{second}))",
        at=second,
        got=lambda _: f"{second} beside {first}",
        expected="one of the two",
    )


def ordered(low: str, high: str) -> Rule:
    """Two numbers that are always there."""
    return Rule(
        fields=(low, high),
        holds=lambda values: bool(values[low] <= values[high]),
        cel=f"self.{low} <= self.{high}",
        at=low,
        got=lambda values: f"{values[low]} with {high} {values[high]}",
        expected=f"at most {high}",
    )


def only_with(field: str, other: str, *words: str, absent: bool) -> Rule:
    """`field` has a meaning only where `other` is one of the words, or absent where that may still become so."""
    unset = f"!has(self.{other}) || " if absent else ""
    wanted = f"{unset}self.{other} in {[*words]}" if absent else f"has(self.{other}) && self.{other} in {[*words]}"
    return Rule(
        fields=(field, other),
        holds=lambda v: v[field] is None or v[other] in words or (absent and v[other] is None),
        cel=f"!has(self.{field}) || {wanted}",
        at=field,
        got=lambda values: f"it with {other} {values[other] or 'not set'}",
        expected=f"{other} {choices(words)}",
    )


def clash(field: str, value: str, other: str, *words: str) -> Rule:
    """`field`, which is always there, is not the value where `other` is one of the words."""
    return Rule(
        fields=(field, other),
        holds=lambda values: values[field] != value or values[other] not in words,
        cel=f"self.{field} != '{value}' || !has(self.{other}) || !(self.{other} in {[*words]})",
        at=field,
        got=lambda values: f"{value} with {other} {values[other]}",
        expected=f"{other} other than {choices(words)}",
    )


def needed_with(field: str, other: str, word: str) -> Rule:
    """`field` must be there where `other` is the word."""
    return Rule(
        fields=(field, other),
        holds=lambda values: values[other] != word or values[field] is not None,
        cel=f"!has(self.{other}) || self.{other} != '{word}' || has(self.{field})",
        at=field,
        got=lambda _: "nothing",
        expected=f"a value, because {other} is {word}",
    )


def _present(values: Values, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if values[name] is not None]
