"""The adapter as a component: its core modules, given the shape of the interfaces that a guest imports.

The guest's own imports say which functions it wants and what their types are, so that every patch version of WASI 0.2
is served by the same code and nothing is exported that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from wherry.engine.adapter.imports import Imports
from wherry.engine.adapter.outline import Origin, Outline
from wherry.engine.adapter.part import DESTRUCTOR, NEW, Part
from wherry.engine.adapter.renumber import sleb, unsupported
from wherry.engine.adapter.shape import Definition, FuncExport, Interface, Outer, TypeExport
from wherry.engine.adapter.writer import CORE_FUNC, CORE_MEMORY, FUNC, LATIN1, TYPE, UTF8, Writer, memory_options
from wherry.errors import StartError
from wherry.wasm.binary import name, uleb, vec

CONTROL = "wherry:host/control"
REP, DROP = "[resource-rep]", "[resource-drop]"
FUNCTION, OWN, STRING, U8 = b"\x40", b"\x69", b"\x73", b"\x7d"
DURATION = b"\x77"
"""u64; the one type of another interface that wasi:http/types uses and that is no resource."""


class Inner:
    """The adapter's component in the making. types: what it exports, by name."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._writer = Writer()
        self._imports = Imports(self._writer)
        self.types: dict[str, int] = {}
        self._functions: set[str] = set()
        for native in part.natives:
            self._imports.add(native, native.name, part.outline, part.functions(native.base))
        self._instantiate()

    def finish(self) -> bytes:
        return self._writer.finish()

    def _instantiate(self) -> None:
        """Memory and destructors first, then resources, then the code that uses all of them."""
        writer, part = self._writer, self._part
        heap = writer.core_instance(writer.core_module(part.heap), self._bags(part.heap_imports))
        self._memory = writer.alias_core(heap, CORE_MEMORY, "memory")
        self._realloc = writer.alias_core(heap, CORE_FUNC, "cabi_realloc")
        destructors = {label: self._destructor(heap, label) for label in part.resources}
        self._resources = {label: writer.resource(core) for label, core in destructors.items()}
        given = self._bags(part.imports) | {"heap": heap}
        given["env"] = writer.core_bag({"memory": (CORE_MEMORY, self._memory)})
        self._core = writer.core_instance(writer.core_module(part.adapter), given)

    def _destructor(self, heap: int, resource: str) -> int | None:
        label = f"{DESTRUCTOR}{resource}"
        return self._writer.alias_core(heap, CORE_FUNC, label) if label in self._part.destructors else None

    def _bags(self, wanted: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Core instances, by module name, of the functions that a core module imports."""
        functions: dict[str, dict[str, tuple[bytes, int]]] = {}
        for module, label in wanted:
            if module not in ("heap", "env"):
                functions.setdefault(module, {})[label] = CORE_FUNC, self._core_function(module, label)
        return {module: self._writer.core_bag(items) for module, items in functions.items()}

    def _core_function(self, module: str, label: str) -> int:
        writer = self._writer
        if label.startswith(NEW):
            return writer.resource_new(self._resources[label.removeprefix(NEW)])
        if label.startswith(REP):
            return writer.resource_rep(self._resources[label.removeprefix(REP)])
        if label.startswith(DROP):
            return writer.resource_drop(self._resource(module, label.removeprefix(DROP)))
        function = writer.alias(self._imports.instances[module], FUNC, label)
        return writer.lower(function, self._memory_options(LATIN1 if module == CONTROL else UTF8))

    def _resource(self, module: str, label: str) -> int:
        """Ours, or the host's."""
        native = self._imports.resource(module, label)
        return self._resources[label] if native is None else native

    def _memory_options(self, encoding: bytes) -> list[bytes]:
        return memory_options(encoding, self._memory, self._realloc)

    def provide(self, interface: Interface, outline: Outline) -> None:
        """Export what this import of the guest names; a type or function that is exported already is the same."""
        local: list[int] = []
        for declaration in interface.declarations:
            if isinstance(declaration, FuncExport):
                self._provide_function(interface, declaration.name, local[declaration.type])
            else:
                local.append(self._provide_type(interface, declaration, local, outline))

    def _provide_type(
        self, interface: Interface, declaration: Definition | Outer | TypeExport, local: list[int], outline: Outline
    ) -> int:
        match declaration:
            case Definition():
                return self._writer.type(interface.definition(declaration, local))
            case Outer(index):
                return self._foreign(outline.origin(index))
            case TypeExport(label, equal):
                if label not in self.types:
                    meant = self._resource_of(interface, label) if equal is None else local[equal]
                    self.types[label] = self._writer.export(label, (TYPE, meant))
                return self.types[label]

    def _resource_of(self, interface: Interface, label: str) -> int:
        native = self._imports.resource(interface.base, label)
        if native is not None and label not in self._resources:
            return native
        if label not in self._resources:
            raise unsupported(f"{interface.name} with a resource {label}, which WASI 0.2 does not have")
        return self._resources[label]

    def _foreign(self, origin: Origin) -> int:
        """A type that one provided interface takes from another, or from the host."""
        native = self._imports.resource(origin.interface.base, origin.name)
        if origin.name in self.types:
            return self.types[origin.name]
        if native is not None:
            return native
        if origin.name == "duration":
            return self._writer.type(DURATION)
        raise unsupported(f"wasi:http with {origin.name} of {origin.interface.name}")

    def _provide_function(self, interface: Interface, label: str, type_index: int) -> None:
        if label in self._functions:
            return
        if label not in self._part.exports:
            raise StartError(
                "missing-import", f"the component imports {label} of {interface.name}, unknown to this host"
            )
        self._functions.add(label)
        self._export(label, type_index, UTF8)

    def _export(self, label: str, type_index: int, encoding: bytes) -> None:
        core = self._writer.alias_core(self._core, CORE_FUNC, label)
        lifted = self._writer.lift(core, type_index, self._memory_options(encoding))
        self._writer.export(label, (FUNC, lifted))

    def control(self) -> None:
        """Export what the host calls (prepare, take-trailers) and what the driver does."""
        self._control("prepare", [("head", STRING)], None)
        self._control("take-request", [], self._owned("incoming-request"))
        self._control("take-outparam", [], self._owned("response-outparam"))
        self._control("take-ending", [], U8)
        self._control("take-trailers", [], STRING)

    def _owned(self, resource: str) -> bytes:
        if resource not in self.types:
            raise unsupported(f"a request handler, but no import of {resource}")
        return sleb(self._writer.type(OWN + uleb(self.types[resource])))

    def _control(self, label: str, parameters: list[tuple[str, bytes]], result: bytes | None) -> None:
        self._export(label, self._writer.type(function_type(parameters, result)), LATIN1)


def function_type(parameters: list[tuple[str, bytes]], result: bytes | None) -> bytes:
    """A function's type, of encoded value types."""
    listed = vec(name(label) + kind for label, kind in parameters)
    return FUNCTION + listed + (b"\1\0" if result is None else b"\0" + result)
