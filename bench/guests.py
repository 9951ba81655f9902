"""The guests that both sides serve: the same file for us and for the peer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import wasmtime

from examples.toolchain.cache import key, once, root
from examples.toolchain.languages import built

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def c() -> Path:
    return built("c-http", ROOT / "tests" / "guests" / "http" / "hello.c")


def javascript() -> Path:
    return built("javascript", EXAMPLES / "04-hello-js" / "hello.js")


def python() -> Path:
    return built("python", EXAMPLES / "05-hello-python" / "hello.py")


def cgi() -> Path:
    return built("c-command", ROOT / "tests" / "guests" / "command" / "cgi.c")


def rust() -> Path:
    return built("rust", EXAMPLES / "02-hello-rust" / "hello.rs")


def go() -> Path:
    return built("go", EXAMPLES / "03-hello-go" / "hello.go")


def tiny() -> Path:
    """One fd_write and nothing else."""
    source = ROOT / "tests" / "guests" / "tiny.wat"
    target = root() / "guests" / f"tiny-{key([source])}.wasm"
    return once(target, lambda out: _write(out, bytes(wasmtime.wat2wasm(source.read_text()))))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def image() -> Path:
    return built("c-command-fast", EXAMPLES / "06-image" / "image.c")


GUESTS: dict[str, Callable[[], Path]] = {"C": c, "JS": javascript, "Python": python}
