"""Records: objects with known fields, declared as frozen dataclasses whose fields carry shape, description and default.

    @record()
    class Service:
        '''The Service in front of the app.'''

        port: int = field(PORT, "Port of the Service.", default=80)

`Record(Service)` reads, writes and describes it. An unknown field is refused, and null is the same as absence, as in
the API server.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, dataclass_transform, overload

from wherry.errors import FieldError
from wherry.spec.collection import mapping
from wherry.spec.rules import Rule, Values
from wherry.spec.shape import Gather, Schema, Shape, Wrong
from wherry.spec.wording import choices, step, suggest

T = TypeVar("T")
FEW = 8
"""As many names as a message may list."""
MANY = 50
"""As many unknown fields as are told of one object."""


@dataclass(frozen=True)
class Member(Shape[Any]):
    """One field of a record: its name in the document, its shape, what it means and what it is when absent."""

    name: str
    attribute: str
    shape: Shape[Any]
    doc: str
    default: Any

    @property
    def required(self) -> bool:
        return self.default is dataclasses.MISSING

    def phrase(self) -> str:
        return self.shape.phrase()

    def read(self, value: object, at: str) -> Any:
        if value is not None:
            return self.shape.read(value, at)
        if self.required:
            raise Wrong(FieldError(at, "nothing", self.phrase()))
        return self.default

    def schema(self) -> Schema:
        schema = {"description": self.doc} | self.shape.schema()
        if self.required or self.default is None:
            return schema
        default = self.shape.write(self.default)
        return schema | {"default": default} if default not in ("", [], {}) or _fills_in(schema) else schema


@overload
def field(shape: Shape[T], doc: str, *, name: str = "") -> T: ...
@overload
def field(shape: Shape[T], doc: str, *, default: T, name: str = "") -> T: ...
@overload
def field(shape: Shape[T], doc: str, *, default: None, name: str = "") -> T | None: ...
def field(shape: Shape[Any], doc: str, *, default: Any = dataclasses.MISSING, name: str = "") -> Any:
    """A field of a record. `name` is its name in the document where that is not the camelCase of the attribute."""
    known = {"shape": shape, "doc": doc, "name": name, "default": default}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=known)
    return dataclasses.field(default_factory=lambda: default, metadata=known)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(*rules: Rule) -> Callable[[type[T]], type[T]]:
    """A frozen, keyword-only dataclass whose fields are declared with `field`, and the rules between them."""

    def declare(cls: type[T]) -> type[T]:
        cls.__rules__ = rules  # type: ignore[attr-defined]
        return dataclass(frozen=True, kw_only=True)(cls)

    return declare


@dataclass(frozen=True)
class Record(Shape[T]):
    """The shape of a class declared with `record`, or of any dataclass by the shapes of its fields.

    In the second form every field is required but those whose default is None.
    """

    cls: type[T]
    shapes: Mapping[str, Shape[Any]] = dataclasses.field(default_factory=dict, hash=False)

    @cached_property
    def members(self) -> dict[str, Member]:
        fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(self.cls)  # type: ignore[arg-type]
        members = [_shaped(each, self.shapes[each.name]) if self.shapes else _declared(each) for each in fields]
        return {member.name: member for member in members}

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        return getattr(self.cls, "__rules__", ())

    def phrase(self) -> str:
        return "a mapping"

    def read(self, value: object, at: str) -> T:
        given = mapping(value, at)
        unknown = [name for name in given if name not in self.members]
        gather = Gather(self._unknown(name, at) for name in unknown[:MANY])
        values: dict[str, Any] = {}
        for name, member in self.members.items():
            with gather:
                values[name] = member.read(given.get(name), f"{at}.{name}" if at else name)
        gather.faults += self._broken(values, at)
        gather.settle()
        return self.cls(**{self.members[name].attribute: each for name, each in values.items()})

    def schema(self) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {name: member.schema() for name, member in self.members.items()},
        }
        if required := [name for name, member in self.members.items() if member.required]:
            schema["required"] = required
        if self.rules:
            schema["x-kubernetes-validations"] = [_validation(rule) for rule in self.rules]
        return schema

    def write(self, value: T) -> object:
        """Only what differs from the defaults."""
        values = {name: (member, getattr(value, member.attribute)) for name, member in self.members.items()}
        return {name: member.shape.write(each) for name, (member, each) in values.items() if each != member.default}

    def _unknown(self, name: object, at: str) -> FieldError:
        path = f"{at}.{step(name)}" if at else step(name)
        known = sorted(self.members)
        cure = suggest(str(name), known) or (f"try {choices(known)}" if len(known) <= FEW else "")
        return FieldError(path, "an unknown field", "a known one", cure)

    def _broken(self, values: Values, at: str) -> list[FieldError]:
        asked = [rule for rule in self.rules if values.keys() >= set(rule.fields)]
        return [fault for rule in asked for fault in rule.faults(values, at)]


def _fills_in(schema: Schema) -> bool:
    """Whether an empty object of this schema gets defaults. Other empty values need none: absence means the same."""
    return any("default" in each for each in schema.get("properties", {}).values())


def _validation(rule: Rule) -> Schema:
    where = {"fieldPath": f".{rule.at}"} if rule.at else {}
    return {"rule": rule.cel, "message": f"expected {rule.expected}"} | where


def _shaped(each: dataclasses.Field[Any], shape: Shape[Any]) -> Member:
    default = None if each.default is None else dataclasses.MISSING
    return Member(each.name, each.name, shape, "", default)


def _declared(each: dataclasses.Field[Any]) -> Member:
    known = each.metadata
    name = known["name"] or re.sub("_([a-z])", lambda match: match[1].upper(), each.name)
    return Member(name, each.name, known["shape"], known["doc"], known["default"])
