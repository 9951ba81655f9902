"""Interfaces imported into a component that is being written, and their types found again.

A resource is declared by the first interface that has it. A later one (the guest's own import of the same interface, or
of another patch version of it) says that its resource is that one.
"""

from __future__ import annotations

from collections.abc import Container

from wherry.engine.adapter.outline import Origin, Outline
from wherry.engine.adapter.renumber import unsupported
from wherry.engine.adapter.shape import Definition, FuncExport, Interface, Outer, TypeExport
from wherry.engine.adapter.writer import TYPE, Writer
from wherry.wasm.binary import name, uleb, vec

INSTANCE_TYPE = b"\x42"
DEFINE, OUTER_TYPE, EXPORT = b"\x01", b"\x02\x03\x02\x01", b"\x04\x00"
EQUAL, FRESH = b"\x03\x00", b"\x03\x01"
FUNCTION = b"\x01"


class Imports:
    """What one component imports. instances: by name as written, and by name without version (the first of them)."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.instances: dict[str, int] = {}
        self._types: dict[tuple[int, str], int] = {}
        self._resources: dict[tuple[str, str], int] = {}

    def add(self, interface: Interface, label: str, outline: Outline, functions: Container[str] | None = None) -> int:
        """Import interface as label, with these functions only (None: with all); the instance's index."""
        body = _Body(self, interface, outline)
        for declaration in interface.declarations:
            if not isinstance(declaration, FuncExport):
                body.type(declaration)
            elif functions is None or declaration.name in functions:
                body.function(declaration)
        index = self._writer.import_instance(label, self._writer.type(INSTANCE_TYPE + vec(body.items)))
        self.instances[label] = index
        self.instances.setdefault(interface.base, index)
        for resource in body.fresh:
            self._resources[interface.base, resource] = index
        return index

    def type(self, origin: Origin) -> int:
        """The type that an imported interface exports, aliased once."""
        interface = origin.interface
        index = self.instances.get(interface.name, self.instances.get(interface.base))
        if index is None:
            raise unsupported(
                f"an interface that uses {origin.name} of {interface.name}, which this host keeps to itself"
            )
        return self._alias(index, origin.name)

    def resource(self, base: str, label: str) -> int | None:
        """The resource `label` of an interface that is already imported in some version."""
        index = self._resources.get((base, label))
        return None if index is None else self._alias(index, label)

    def _alias(self, instance: int, label: str) -> int:
        key = instance, label
        if key not in self._types:
            self._types[key] = self._writer.alias(instance, TYPE, label)
        return self._types[key]


class _Body:
    """An instance type in the making. `local`: the interface's own type indices, as they are numbered here."""

    def __init__(self, imports: Imports, interface: Interface, outline: Outline) -> None:
        self.items: list[bytes] = []
        self.fresh: list[str] = []
        self._imports = imports
        self._interface = interface
        self._outline = outline
        self._count = 0
        self._local: list[int] = []

    def type(self, declaration: Definition | Outer | TypeExport) -> None:
        match declaration:
            case Definition():
                number = self._add(DEFINE + self._interface.definition(declaration, self._local))
            case Outer(index):
                number = self._outer(self._imports.type(self._outline.origin(index)))
            case TypeExport(label, None):
                number = self._resource(label)
            case TypeExport(label, int(equal)):
                number = self._equal(label, self._local[equal])
        self._local.append(number)

    def function(self, declaration: FuncExport) -> None:
        self.items.append(EXPORT + name(declaration.name) + FUNCTION + uleb(self._local[declaration.type]))

    def _add(self, item: bytes) -> int:
        self.items.append(item)
        self._count += 1
        return self._count - 1

    def _outer(self, index: int) -> int:
        return self._add(OUTER_TYPE + uleb(index))

    def _equal(self, label: str, number: int) -> int:
        return self._add(EXPORT + name(label) + EQUAL + uleb(number))

    def _resource(self, label: str) -> int:
        known = self._imports.resource(self._interface.base, label)
        if known is not None:
            return self._equal(label, self._outer(known))
        self.fresh.append(label)
        return self._add(EXPORT + name(label) + FRESH)
