"""A component from outside: what it imports, where the types of those imports come from, what it exports.

Only top-level sections are read, and types only as far as imports go; the code is not looked at. Anything that a
composed guest cannot have raises StartError `unsupported`, malformed bytes raise InvalidModule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wherry.engine.adapter import shape
from wherry.engine.adapter.renumber import skip_type, unsupported
from wherry.engine.adapter.shape import Interface
from wherry.wasm.binary import COMPONENT, Bytes, Reader, Section, sections, wrong

CORE_MODULE, INSTANCES, ALIASES, TYPES, IMPORTS, EXPORTS = 1, 5, 6, 7, 10, 11
INSTANCE_TYPE = 0x42
ITEM_LIMIT = 1_000_000
SORT_CORE, SORT_TYPE, SORT_INSTANCE = 0x00, 0x03, 0x05
OF_EXPORT, OF_CORE_EXPORT = 0x00, 0x01


@dataclass(frozen=True, slots=True)
class Origin:
    """An outer type: the imported interface that exports it, and its name there."""

    interface: Interface
    name: str


@dataclass(slots=True)
class Outline:
    """imports: in order. exports: names. modules: core modules as start and end. origins: by outer type index."""

    imports: list[Interface] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    modules: list[tuple[int, int]] = field(default_factory=list)
    origins: dict[int, Origin] = field(default_factory=dict)

    def origin(self, index: int) -> Origin:
        """Where the type of the component with this index comes from."""
        if index not in self.origins:
            raise unsupported("an imported interface with a type that no other imported interface exports")
        return self.origins[index]


def read_outline(data: Bytes) -> Outline:
    """The outline of a component's bytes."""
    if data[: len(COMPONENT)] != COMPONENT:
        raise wrong(0, bytes(data[: len(COMPONENT)]).hex() or "nothing", "a component")
    found = list(sections(data))
    last_import = max((i for i, section in enumerate(found) if section.id == IMPORTS), default=-1)
    reading = _Reading(data)
    for section in found[: last_import + 1]:
        reading.section(section, _PREFIX)
    for section in found[last_import + 1 :]:
        reading.section(section, _REST)
    return reading.outline


class _Reading:
    """The type and instance index spaces as they grow; instances and types that are not imported are None."""

    def __init__(self, data: Bytes) -> None:
        self.outline = Outline()
        self._data = data
        self._types: list[tuple[shape.Declaration, ...] | None] = []
        self._instances: list[Interface | None] = []

    def section(self, section: Section, known: dict[int, _Item]) -> None:
        reader = Reader(self._data, section.start, section.end)
        if section.id == CORE_MODULE:
            self.outline.modules.append((section.start, section.end))
        elif section.id == INSTANCES:
            self._instances += [None] * reader.count(ITEM_LIMIT)
        elif section.id in known:
            for _ in range(reader.count(ITEM_LIMIT)):
                known[section.id](self, reader)
            reader.finish()

    def type(self, reader: Reader) -> None:
        start = reader.offset
        if reader.byte() == INSTANCE_TYPE:
            self._types.append(shape.declarations(reader))
            return
        reader.offset = start
        skip_type(reader, len(self._types))
        self._types.append(None)

    def alias(self, reader: Reader) -> None:
        sort = reader.byte()
        if sort == SORT_CORE:
            reader.byte()
        target = reader.byte()
        index = reader.u32()
        if target not in (OF_EXPORT, OF_CORE_EXPORT):
            raise unsupported("an alias of something outside of it")
        self._aliased(sort, target, index, reader.name())

    def _aliased(self, sort: int, target: int, index: int, name: str) -> None:
        if sort == SORT_INSTANCE:
            self._instances.append(None)
        if sort != SORT_TYPE:
            return
        owner = self._instances[index] if target == OF_EXPORT and index < len(self._instances) else None
        if owner:
            self.outline.origins[len(self._types)] = Origin(owner, name)
        self._types.append(None)

    def imported(self, reader: Reader) -> None:
        name = shape.extern_name(reader)
        if reader.byte() != SORT_INSTANCE:
            raise unsupported(f"an import that is no interface, {name}")
        index = reader.u32()
        declared = self._types[index] if index < len(self._types) else None
        if declared is None:
            raise unsupported(f"an import of unknown type, {name}")
        interface = Interface(name, self._data, declared)
        self.outline.imports.append(interface)
        self._instances.append(interface)

    def exported(self, reader: Reader) -> None:
        self.outline.exports.append(shape.extern_name(reader))
        sort = reader.byte()
        if sort == SORT_CORE:
            reader.byte()
        reader.u32()
        if sort == SORT_TYPE:
            self._types.append(None)
        if sort == SORT_INSTANCE:
            self._instances.append(None)
        if reader.byte():
            _skip_ascription(reader)


def _skip_ascription(reader: Reader) -> None:
    sort = reader.byte()
    if sort in (SORT_CORE, SORT_TYPE):
        reader.byte()
    reader.u32()


_Item = Callable[[_Reading, Reader], None]
_PREFIX: dict[int, _Item] = {
    ALIASES: _Reading.alias,
    TYPES: _Reading.type,
    IMPORTS: _Reading.imported,
    EXPORTS: _Reading.exported,
}
_REST: dict[int, _Item] = {EXPORTS: _Reading.exported}
