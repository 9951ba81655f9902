"""An adapter file: the interfaces of the host that it may use, and its core modules.

The files are components made by `build.py`: the imports of source/natives.wat, then the core modules heap, adapter and,
for http, driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wherry.engine.adapter.outline import Outline, read_outline
from wherry.engine.adapter.shape import Interface, Outer
from wherry.wasm import core
from wherry.wasm.names import Names

FOLDER = Path(__file__).parent
LOG = "wasi:cli/stderr", "get-stderr"
NEW, DESTRUCTOR = "[resource-new]", "[dtor]"


@dataclass(frozen=True, slots=True)
class Part:
    """heap, adapter, driver: core modules. imports: of heap and adapter, as (module, name). exports: of adapter."""

    outline: Outline
    heap: bytes
    adapter: bytes
    driver: bytes
    heap_imports: tuple[tuple[str, str], ...]
    imports: tuple[tuple[str, str], ...]
    exports: frozenset[str]
    destructors: frozenset[str]

    @property
    def resources(self) -> list[str]:
        """The resources that the adapter itself defines: those it makes, and those it could drop."""
        made = [name.removeprefix(NEW) for _, name in self.imports if name.startswith(NEW)]
        dropped = [name.removeprefix(DESTRUCTOR) for name in self.destructors]
        return sorted({*made, *dropped})

    @property
    def calls(self) -> set[tuple[str, str]]:
        """Functions of the host that a composition needs; a served guest's stdout goes to the host's stderr."""
        return {*self.heap_imports, *self.imports, *((LOG,) if self.driver else ())}

    def functions(self, base: str) -> set[str]:
        """The functions of a host interface that are called."""
        return {name for module, name in self.calls if module == base}

    @property
    def natives(self) -> list[Interface]:
        """The host's interfaces that are called, and those whose types they need, in order of need."""
        called = {module for module, _ in self.calls}
        wanted: list[Interface] = []
        for interface in reversed(self.outline.imports):
            if interface.base in called or any(interface in self._needs(later) for later in wanted):
                wanted.append(interface)
        return wanted[::-1]

    def _needs(self, interface: Interface) -> list[Interface]:
        outer = (d.index for d in interface.declarations if isinstance(d, Outer))
        return [self.outline.origin(index).interface for index in outer]


@cache
def read_part(name: str) -> Part:
    """The adapter file of this name beside this module."""
    data = (FOLDER / f"{name}.wasm").read_bytes()
    outline = read_outline(data)
    heap, adapter, *driver = (data[start:end] for start, end in outline.modules)
    names = core.names(adapter)
    return Part(
        outline=outline,
        heap=heap,
        adapter=adapter,
        driver=driver[0] if driver else b"",
        heap_imports=_pairs(core.names(heap)),
        imports=_pairs(names),
        exports=frozenset(names.exports),
        destructors=frozenset(name for name in core.names(heap).exports if name.startswith(DESTRUCTOR)),
    )


def _pairs(names: Names) -> tuple[tuple[str, str], ...]:
    pairs = (label.partition(".") for label in names.imports)
    return tuple((module, name) for module, _, name in pairs)
