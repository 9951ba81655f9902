"""Waits: a guest that sleeps in the host is ended by an epoch deadline like one that computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
import wasmtime
from wasmtime import Store, WasiConfig, component

from tests.support import guests
from tests.support.composed import Request, ask, compiled, engine
from wherry.engine.adapter.outline import read_outline


@contextmanager
def epochs() -> Iterator[None]:
    """The engine's epoch goes on, as long as this lasts."""
    stop = Event()

    def advance() -> None:
        while not stop.wait(0.01):
            engine().increment_epoch()

    thread = Thread(target=advance)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_sleeping_handler_is_ended(types: Path) -> None:
    with epochs(), pytest.raises(wasmtime.WasmtimeError, match="interrupt"):
        ask(types, Request("/sleep"), ticks=20)


def test_a_sleeping_command_is_ended() -> None:
    composed = compiled(guests.command_component("hostile"), "command")
    store = Store(engine())
    wasi = WasiConfig()
    wasi.argv = ["/app.wasm", "sleep"]
    store.set_wasi(wasi)
    store.set_epoch_deadline(20)
    linker = component.Linker(engine())
    linker.add_wasip2()
    instance = linker.instantiate(store, composed)
    run = instance.get_export_index(store, "run", _interface(store, instance))
    assert run
    function = instance.get_func(store, run)
    assert function
    with epochs(), pytest.raises(wasmtime.WasmtimeError, match="interrupt"):
        function(store)
    store.close()


def _interface(store: Store, instance: component.Instance) -> component.ExportIndex:
    exports = read_outline(guests.command_component("hostile").read_bytes()).exports
    name = next(name for name in exports if name.startswith("wasi:cli/run@"))
    found = instance.get_export_index(store, name)
    assert found
    return found
