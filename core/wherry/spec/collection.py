"""Lists, maps and plain Kubernetes objects that pass through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from wherry.errors import FieldError
from wherry.spec.shape import Gather, Schema, Shape, Text, Wrong
from wherry.spec.wording import describe, span, step

T = TypeVar("T")


@dataclass(frozen=True)
class Listing(Shape[tuple[T, ...]]):
    """A list. `key` names the field of its items, or "." the item itself, that no two items share."""

    item: Shape[T]
    most: int
    least: int = 0
    key: str = ""

    def phrase(self) -> str:
        return f"a list, each {self.item.phrase()}"

    def read(self, value: object, at: str) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise Wrong(FieldError(at, describe(value), "a list"))
        if not self.least <= len(value) <= self.most:
            raise Wrong(FieldError(at, f"{len(value)} items", span(self.least, self.most)))
        items: list[T] = []
        gather = Gather(self._repeated(value, at))
        for index, each in enumerate(value):
            with gather:
                items.append(self.item.read(each, f"{at}[{index}]"))
        gather.settle()
        return tuple(items)

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.schema(), "maxItems": self.most}
        if self.least:
            schema["minItems"] = self.least
        if self.key == ".":
            schema["x-kubernetes-list-type"] = "set"
        elif self.key:
            schema |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.key]}
        return schema

    def write(self, value: tuple[T, ...]) -> object:
        return [self.item.write(each) for each in value]

    def _repeated(self, value: list[object] | tuple[object, ...], at: str) -> list[FieldError]:
        first: dict[str, int] = {}
        faults = []
        for index, name in enumerate(map(self._name, value)):
            if name is not None and first.setdefault(name, index) != index:
                got = f"{self.key.strip('.')} {describe(name)} again".lstrip()
                faults.append(FieldError(f"{at}[{index}]", got, f"it once, as in {at}[{first[name]}]"))
        return faults

    def _name(self, item: object) -> str | None:
        """What must differ between items; None where there is nothing to compare, or no text."""
        name = item if self.key == "." else item.get(self.key) if isinstance(item, Mapping) else None
        return name if isinstance(name, str) else None


@dataclass(frozen=True)
class Table(Shape[Mapping[str, T]]):
    """A map from names to values of one shape."""

    value: Shape[T]
    most: int
    least: int = 0

    def phrase(self) -> str:
        return f"a mapping of names, each to {self.value.phrase()}"

    def read(self, value: object, at: str) -> Mapping[str, T]:
        given = mapping(value, at)
        if not self.least <= len(given) <= self.most:
            raise Wrong(FieldError(at, f"{len(given)} entries", span(self.least, self.most)))
        entries: dict[str, T] = {}
        gather = Gather()
        for name, each in given.items():
            with gather:
                entries[name] = self.value.read(each, f"{at}[{step(name)}]")
        gather.settle()
        return entries

    def schema(self) -> Schema:
        least = {"minProperties": self.least} if self.least else {}
        return {"type": "object", "additionalProperties": self.value.schema(), "maxProperties": self.most} | least

    def write(self, value: Mapping[str, T]) -> object:
        return {name: self.value.write(each) for name, each in value.items()}


@dataclass(frozen=True)
class Plain(Shape[Mapping[str, object]]):
    """A Kubernetes object that passes through: only the fields named here are checked."""

    checked: tuple[tuple[str, Shape[Any]], ...] = ()
    required: tuple[str, ...] = ()

    def phrase(self) -> str:
        return "a mapping, as in Kubernetes"

    def read(self, value: object, at: str) -> Mapping[str, object]:
        given = mapping(value, at)
        gather = Gather()
        for name, shape in self.checked:
            if given.get(name) is not None or name in self.required:
                with gather:
                    shape.read(given.get(name), f"{at}.{name}")
        gather.settle()
        return given

    def schema(self) -> Schema:
        schema: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        if self.checked:
            schema["properties"] = {name: shape.schema() for name, shape in self.checked}
        return schema | ({"required": [*self.required]} if self.required else {})


def mapping(value: object, at: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Wrong(FieldError(at, describe(value), "a mapping"))
    return value


LABELS = Table(Text(most=262_144), most=256)
MARKS = Table(Text(most=4096), most=64)
