"""The component that holds guest and adapter: the host's interfaces come in once, and each gets its share of them."""

from __future__ import annotations

from itertools import count

from wherry.engine.adapter.imports import Imports
from wherry.engine.adapter.inner import U8, Inner, function_type
from wherry.engine.adapter.outline import Outline
from wherry.engine.adapter.part import LOG, Part
from wherry.engine.adapter.shape import Interface
from wherry.engine.adapter.writer import CORE_FUNC, FUNC, INSTANCE, TYPE, Writer
from wherry.wasm.binary import Bytes

HTTP = ("wasi:http/types", "wasi:http/outgoing-handler")
POLL = "wasi:io/poll"
STDOUT = "wasi:cli/stdout"
STREAMS = "wasi:io/streams"


def provided(interface: Interface) -> bool:
    """Whether the adapter implements this interface."""
    return interface.base == POLL or interface.base in HTTP


class Outer:
    """A composition in the making."""

    def __init__(self, guest: Bytes, outline: Outline, part: Part) -> None:
        self._writer = Writer()
        self._part = part
        self._imports = Imports(self._writer)
        self._outline = outline
        self._import_natives()
        self._import_rest()
        self._guest = guest

    def _import_natives(self) -> None:
        taken = {interface.name for interface in self._outline.imports}
        for native in self._part.natives:
            label = _free_label(native.name, taken)
            self._imports.add(native, label, self._part.outline, self._part.functions(native.base))

    def _import_rest(self) -> None:
        for interface in self._outline.imports:
            if not provided(interface):
                self._imports.add(interface, interface.name, self._outline)

    def serve(self, handler: str) -> bytes:
        """The composition for http: `handler` is the guest's export."""
        inner = Inner(self._part)
        adapter = self._adapt(inner, serves=True)
        guest = self._instantiate_guest(adapter, {STDOUT: self._log()})
        handle = self._writer.alias(self._writer.alias(guest, INSTANCE, handler), FUNC, "handle")
        self._drive(adapter, handle)
        return self._writer.finish()

    def command(self, run: str) -> bytes:
        """The composition for command: the guest's own export `run` is exported."""
        adapter = self._adapt(Inner(self._part), serves=False)
        guest = self._instantiate_guest(adapter, {})
        self._writer.export(run, (INSTANCE, self._writer.alias(guest, INSTANCE, run)))
        return self._writer.finish()

    def _adapt(self, inner: Inner, *, serves: bool) -> int:
        """The adapter's instance."""
        for interface in self._outline.imports:
            if provided(interface):
                inner.provide(interface, self._outline)
        if serves:
            inner.control()
        component = self._writer.component(inner.finish())
        given = {native.name: self._imports.instances[native.base] for native in self._part.natives}
        return self._writer.instance(component, given)

    def _log(self) -> int:
        """A wasi:cli/stdout that writes to the host's stderr."""
        instances, writer = self._imports.instances, self._writer
        stream = writer.alias(instances[STREAMS], TYPE, "output-stream")
        base, function = LOG
        getter = writer.alias(instances[base], FUNC, function)
        return writer.bag({"output-stream": (TYPE, stream), "get-stdout": (FUNC, getter)})

    def _instantiate_guest(self, adapter: int, replaced: dict[str, int]) -> int:
        given = {}
        for interface in self._outline.imports:
            own = replaced.get(interface.base, self._imports.instances.get(interface.name))
            given[interface.name] = adapter if own is None or provided(interface) else own
        return self._writer.instance(self._writer.component(self._guest), given)

    def _drive(self, adapter: int, handle: int) -> None:
        """Export the control protocol's functions."""
        writer = self._writer
        lowered = {label: self._lowered(adapter, label) for label in ("take-request", "take-outparam", "take-ending")}
        given = {
            "adapter": writer.core_bag({label: (CORE_FUNC, core) for label, core in lowered.items()}),
            "guest": writer.core_bag({"handle": (CORE_FUNC, writer.lower(handle, []))}),
        }
        driver = writer.core_instance(writer.core_module(self._part.driver), given)
        signature = writer.type(function_type([], U8))
        run = writer.lift(writer.alias_core(driver, CORE_FUNC, "run"), signature, [])
        writer.export("run", (FUNC, run))
        writer.export("prepare", (FUNC, writer.alias(adapter, FUNC, "prepare")))
        writer.export("trailers", (FUNC, writer.alias(adapter, FUNC, "take-trailers")))

    def _lowered(self, adapter: int, label: str) -> int:
        return self._writer.lower(self._writer.alias(adapter, FUNC, label), [])


def _free_label(label: str, taken: set[str]) -> str:
    """label with a patch version under which the guest does not import the same interface."""
    base, _, version = label.partition("@")
    if not version:
        return label
    return next(found for patch in count() if (found := f"{base}@0.2.{patch}") not in taken)
