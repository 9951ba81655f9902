"""Writing a component: one definition at a time, each with its index in its own index space.

Component model, Binary.md. Every definition is a section of its own, which costs two bytes and keeps the order free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from wherry.wasm.binary import COMPONENT, Bytes, name, section, uleb, vec

FUNC, TYPE, INSTANCE = b"\x01", b"\x03", b"\x05"
CORE_FUNC, CORE_MEMORY = b"\x00", b"\x02"
_CORE_MODULE, _CORE_INSTANCE, _COMPONENT, _INSTANCE, _ALIAS, _TYPE, _CANON, _IMPORT, _EXPORT = (
    1,
    2,
    4,
    5,
    6,
    7,
    8,
    10,
    11,
)
UTF8, LATIN1 = b"\x00", b"\x02"

Item = tuple[bytes, int]
"""A sort and an index."""


class Writer:
    """A component in the making."""

    def __init__(self) -> None:
        self._out = bytearray(COMPONENT)
        self._next: Counter[str] = Counter()

    def finish(self) -> bytes:
        return bytes(self._out)

    def _add(self, kind: int, body: bytes, space: str = "") -> int:
        self._out += section(kind, body)
        self._next[space] += 1
        return self._next[space] - 1

    def _one(self, kind: int, body: bytes, space: str) -> int:
        return self._add(kind, vec([body]), space)

    def type(self, definition: bytes) -> int:
        return self._one(_TYPE, definition, "type")

    def resource(self, destructor: int | None) -> int:
        """A resource whose representation is an i32."""
        end = b"\0" if destructor is None else b"\1" + uleb(destructor)
        return self.type(b"\x3f\x7f" + end)

    def import_instance(self, label: str, type_index: int) -> int:
        return self._one(_IMPORT, b"\0" + name(label) + INSTANCE + uleb(type_index), "instance")

    def export(self, label: str, item: Item) -> int:
        """The index of the export, which is a new definition."""
        sort, index = item
        return self._one(_EXPORT, b"\0" + name(label) + sort + uleb(index) + b"\0", _SPACES[sort])

    def alias(self, instance: int, sort: bytes, label: str) -> int:
        return self._one(_ALIAS, sort + b"\0" + uleb(instance) + name(label), _SPACES[sort])

    def alias_core(self, instance: int, sort: bytes, label: str) -> int:
        return self._one(_ALIAS, b"\0" + sort + b"\1" + uleb(instance) + name(label), _CORE_SPACES[sort])

    def core_module(self, data: Bytes) -> int:
        return self._add(_CORE_MODULE, bytes(data), "core module")

    def core_instance(self, module: int, arguments: Mapping[str, int]) -> int:
        given = vec(name(label) + b"\x12" + uleb(index) for label, index in arguments.items())
        return self._one(_CORE_INSTANCE, b"\0" + uleb(module) + given, "core instance")

    def core_bag(self, items: Mapping[str, Item]) -> int:
        """A core instance made of existing definitions."""
        held = vec(name(label) + sort + uleb(index) for label, (sort, index) in items.items())
        return self._one(_CORE_INSTANCE, b"\1" + held, "core instance")

    def component(self, data: Bytes) -> int:
        return self._add(_COMPONENT, bytes(data), "component")

    def instance(self, component: int, arguments: Mapping[str, int]) -> int:
        """An instance of a component whose imports are all instances."""
        given = vec(name(label) + INSTANCE + uleb(index) for label, index in arguments.items())
        return self._one(_INSTANCE, b"\0" + uleb(component) + given, "instance")

    def bag(self, items: Mapping[str, Item]) -> int:
        """An instance made of existing definitions."""
        held = vec(b"\0" + name(label) + sort + uleb(index) for label, (sort, index) in items.items())
        return self._one(_INSTANCE, b"\1" + held, "instance")

    def lift(self, core_func: int, type_index: int, options: list[bytes]) -> int:
        return self._one(_CANON, b"\0\0" + uleb(core_func) + vec(options) + uleb(type_index), "func")

    def lower(self, func: int, options: list[bytes]) -> int:
        return self._one(_CANON, b"\1\0" + uleb(func) + vec(options), "core func")

    def resource_new(self, type_index: int) -> int:
        return self._one(_CANON, b"\2" + uleb(type_index), "core func")

    def resource_drop(self, type_index: int) -> int:
        return self._one(_CANON, b"\3" + uleb(type_index), "core func")

    def resource_rep(self, type_index: int) -> int:
        return self._one(_CANON, b"\4" + uleb(type_index), "core func")


_SPACES = {FUNC: "func", TYPE: "type", INSTANCE: "instance"}
_CORE_SPACES = {CORE_FUNC: "core func", CORE_MEMORY: "core memory"}


def memory_options(encoding: bytes, memory: int, realloc: int) -> list[bytes]:
    """Canonical options of a function whose strings and lists lie in a memory."""
    return [encoding, b"\3" + uleb(memory), b"\4" + uleb(realloc)]
