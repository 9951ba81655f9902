"""The guests that both sides serve: the same file for us and for the peer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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


def image() -> Path:
    return built("c-command-fast", EXAMPLES / "06-image" / "image.c")


GUESTS: dict[str, Callable[[], Path]] = {"C": c, "JS": javascript, "Python": python}
