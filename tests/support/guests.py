"""Guests that tests run, built from tests/guests once on a machine: a path to a .wasm for each.

`command(name)` and `cgi` are preview-1 modules, `command_component(name)` the same sources as WASI 0.2 components,
`http(name)` are wasi:http components. A machine without the toolchain skips, and the reason says what to install.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

from examples.toolchain import c, languages
from examples.toolchain.cache import key, once, root
from examples.toolchain.interfaces import WASI
from examples.toolchain.programs import WASM_TOOLS, zig_version
from examples.toolchain.run import MissingTool

SOURCES = Path(__file__).parent.parent / "guests"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"

SHOWN = {"hostile": EXAMPLES / "11-hostile" / "hostile.c", "outbound": EXAMPLES / "09-outbound-c" / "outbound.c"}
"""Guests that are examples too."""


def command(name: str) -> Path:
    """A preview-1 module: `echo`, `exit`, `files`, `cgi`, `hostile`, … of tests/guests/command."""
    source = SOURCES / "command" / f"{name}.c"
    return _built(f"{name}-p1", [source], lambda out: c.preview1([source], out))


def command_with_dwarf(name: str) -> Path:
    """The same with debug information, for file:line in backtraces."""
    source = SOURCES / "command" / f"{name}.c"
    return _built(f"{name}-dwarf", [source], lambda out: c.preview1([source], out, c.WITH_DWARF))


def command_component(name: str) -> Path:
    """A component that exports wasi:cli/run, from the same sources as `command`."""
    source = SOURCES / "command" / f"{name}.c"
    return _built(f"{name}-p2", [source], lambda out: c.command_component([source], out))


def http(name: str) -> Path:
    """A component that exports wasi:http/incoming-handler: `hello`, `stream`, `hostile`, `outbound`."""
    source = SHOWN[name] if name in SHOWN else SOURCES / "http" / f"{name}.c"
    return _built(f"{name}-http", [source, c.SDK], lambda out: c.http_component([source], out))


def caller(name: str) -> Path:
    """A component that exports wasi:cli/run and calls out by wasi:http: `fetch`."""
    source = SOURCES / "caller" / f"{name}.c"
    return _built(f"{name}-caller", [source, c.SDK], lambda out: c.http_component([source], out, world="caller"))


def tiny() -> Path:
    """A preview-1 CGI module that answers by a single fd_write."""
    return wat((SOURCES / "tiny.wat").read_text())


def javascript() -> Path:
    """The 13 MB wasi:http component of examples/04-hello-js."""
    return _example("javascript", "04-hello-js/hello.js")


def python() -> Path:
    """The 18 MB wasi:http component of examples/05-hello-python."""
    return _example("python", "05-hello-python/hello.py")


def _example(language: str, source: str) -> Path:
    try:
        return languages.built(language, EXAMPLES / source)
    except MissingTool as missing:
        pytest.skip(str(missing))


def wat(text: str) -> Path:
    """A module or component from its text form."""
    return _built("wat", [text], lambda out: _write(out, bytes(wasmtime.wat2wasm(text))))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _built(name: str, inputs: list[Path | str], make: Callable[[Path], None]) -> Path:
    toolchain: list[Path | str] = [zig_version(), WASM_TOOLS, WASI, Path(c.__file__)]
    target = root() / "guests" / f"{name}-{key([*inputs, *toolchain])}.wasm"
    try:
        return once(target, make)
    except MissingTool as missing:
        pytest.skip(str(missing))
