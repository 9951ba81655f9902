"""Servers for tests: one for each kind of guest in a module, and as many more as a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import guests
from tests.support.http_server import Server, Settings, serving

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """start(wasm, plan={…}, host={…}, serving={…}) gives a running server that ends with the test."""
    with ExitStack() as stack:

        def begin(wasm: Path, **settings: Any) -> Server:
            return stack.enter_context(serving(Settings(wasm, tmp_path, **settings)))

        yield begin


@pytest.fixture(scope="module")
def cgi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """tests/guests/command/stream.c, served."""
    with serving(Settings(guests.command("stream"), tmp_path_factory.mktemp("cgi"))) as server:
        yield server


@pytest.fixture(scope="module", params=["cgi", "component"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same behaviour as a CGI module and as a wasi:http component."""
    wasm = guests.command("stream") if request.param == "cgi" else guests.http("stream")
    with serving(Settings(wasm, tmp_path_factory.mktemp("server"))) as running:
        yield running
