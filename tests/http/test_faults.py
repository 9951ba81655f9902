"""Each call of the C API may fail in a request's list: then all that was made is freed, and the next request works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ctypes import CFUNCTYPE, c_bool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.engine import wasm_file
from bench.inprocess import Asked
from tests.support import guests
from wherry.engine import capi
from wherry.engine.host import Host
from wherry.engine.http.exchange import Outcome
from wherry.engine.http.guest import load
from wherry.engine.http.pipes import ResponsePipe
from wherry.engine.prepare import prepare
from wherry.plan.model import Limits, Mount, RunPlan

MADE = {"wasi_config_new": "config", "store_new": "store"}
FREED = {"wasi_config_delete": "config", "context_set_wasi": "config", "store_delete": "store"}

CONFIG = ("wasi_config_set_env", "wasi_config_set_argv", "wasi_config_preopen_dir", "wasi_config_set_stdout_file")
STORE = ("context_set_wasi", "context_set_fuel")
MODULE = (*CONFIG, *STORE, "instance_pre_instantiate", "instance_export_get", "func_call")
COMPONENT = (*CONFIG, *STORE, "component_linker_instantiate", "component_instance_get_func", "component_func_call")


class Library:
    """The functions of `capi`: what they make and free is counted, and one of them fails when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.alive: Counter[str] = Counter()
        self.failing = ""
        for name in {*MODULE, *COMPONENT, "context_get_fuel", *MADE, *FREED}:
            monkeypatch.setattr(capi, name, self._watched(name, getattr(capi, name)))

    def _watched(self, name: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            if name in MADE:
                self.alive[MADE[name]] += 1
            if name in FREED:
                self.alive[FREED[name]] -= 1
            if name != self.failing:
                return function(*arguments)
            self.failing = ""
            return self._failed(name, function, arguments)

        watched: Any = CFUNCTYPE(function.restype, *function.argtypes)(call)
        watched.__name__ = name
        return watched

    def _failed(self, name: str, function: Any, arguments: tuple[Any, ...]) -> Any:
        if name == "context_set_wasi":  # it takes the configuration over, whatever comes of it
            function(*arguments)
        return False if function.restype is c_bool else capi.error_new(b"refused by the test")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    return Library(monkeypatch)


@dataclass
class Request:
    """The same request, made again with each call."""

    call: Callable[[Any], Outcome]
    asked: Any

    def __call__(self) -> Outcome:
        try:
            return self.call(self.asked)
        finally:
            self.asked.stdout.read()

    def said(self) -> str:
        """What became of it: its ending's sentence, or the fault that a worker makes a trap of."""
        try:
            return self().ending.sentence
        except RuntimeError as fault:
            return str(fault)


class Gone:
    """A body's pipe that nobody can open."""

    path = b"/nowhere"
    closed = False

    def opened(self) -> None:
        self.closed = True


@contextmanager
def called(wasm: Path, folder: Path) -> Iterator[Request]:
    """A call of a loaded guest, as a worker's thread has it, with a mount and with fuel."""
    plan = RunPlan(
        "http",
        wasm_file(wasm),
        port=8080,
        mounts=(Mount(str(folder), "/data", readonly=True),),
        limits=Limits(fuel=1_000_000_000),
    )
    host = Host(cache=Path("~/.cache/wherry/tests").expanduser())
    guest: Any = load(prepare(plan, host), host, 4, 8080)
    with closing(guest), closing(ResponsePipe()) as pipe:
        yield Request(guest.new_call(), Asked(pipe))


BEFORE = pytest.mark.parametrize("before", [2, 3], ids=["freed by the list", "studied"])
"""Requests before the one that fails: the fourth is one whose pages are looked at."""


@BEFORE
@pytest.mark.parametrize("failing", MODULE)
def test_a_module_frees_all_when_a_call_fails(failing: str, before: int, library: Library, tmp_path: Path) -> None:
    with called(guests.tiny(), tmp_path) as request:
        _fails_once(failing, library, request, before)


def test_a_module_frees_all_when_its_fuel_cannot_be_read(library: Library, tmp_path: Path) -> None:
    with called(guests.tiny(), tmp_path) as request:
        _fails_once("context_get_fuel", library, request, 2)


@BEFORE
@pytest.mark.parametrize("failing", COMPONENT)
def test_a_component_frees_all_when_a_call_fails(failing: str, before: int, library: Library, tmp_path: Path) -> None:
    with called(guests.http("hello"), tmp_path) as request:
        _fails_once(failing, library, request, before)


def _fails_once(failing: str, library: Library, request: Request, before: int) -> None:
    for _ in range(before):
        assert request().ending.code == 0
    library.failing = failing
    assert request.said() in ("refused by the test", f"{failing} failed")
    assert not library.failing
    assert not any(library.alive.values()), library.alive
    outcome = request()
    assert outcome.ending.code == 0
    assert 0 < outcome.fuel < 1_000_000_000
    assert not any(library.alive.values()), library.alive


TRAPS = {
    "at its start": '(module (func $bad unreachable) (start $bad) (func (export "_start")))',
    "when it is called": '(module (func (export "_start") unreachable))',
}


@pytest.mark.parametrize("wat", TRAPS.values(), ids=TRAPS)
def test_a_module_that_traps_leaves_nothing(wat: str, library: Library, tmp_path: Path) -> None:
    with called(guests.wat(wat), tmp_path) as request:
        for _ in range(3):
            assert request().ending.reason == "unreachable"
            assert not any(library.alive.values()), library.alive


@pytest.mark.parametrize("name", ["tiny", "hello"])
def test_a_body_whose_pipe_is_gone_leaves_nothing(name: str, library: Library, tmp_path: Path) -> None:
    wasm = guests.tiny() if name == "tiny" else guests.http(name)
    with called(wasm, tmp_path) as request:
        request.asked.stdin = gone = Gone()
        with pytest.raises(OSError, match="pipe cannot be opened"):
            request()
        assert gone.closed
        assert not any(library.alive.values()), library.alive
        request.asked.stdin = None
        assert request().ending.code == 0
