"""Every language that an example is written in: how it is built, and what decides the bytes that come out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from examples.toolchain import c, go, javascript, python, rust
from examples.toolchain.cache import key, once, root
from examples.toolchain.interfaces import WASI, WORLDS
from examples.toolchain.programs import WASM_TOOLS, zig_version


@dataclass(frozen=True)
class Language:
    """build(source, out); the versions that decide its bytes; whatever else goes in."""

    build: Callable[[Path, Path], None]
    versions: Callable[[], list[str]]
    shared: tuple[Path, ...] = ()


LANGUAGES = {
    "c-http": Language(
        lambda s, o: c.http_component([s], o), lambda: [zig_version(), WASM_TOOLS, WASI], (c.SDK, WORLDS)
    ),
    "c-command": Language(lambda s, o: c.preview1([s], o), lambda: [zig_version()]),
    "c-command-fast": Language(lambda s, o: c.preview1([s], o, c.FAST), lambda: [zig_version()]),
    "rust": Language(rust.preview1, lambda: [rust.RUST]),
    "go": Language(go.preview1, lambda: [go.go_version()]),
    "javascript": Language(javascript.http_component, lambda: [javascript.COMPONENTIZE_JS, WASI], (WORLDS,)),
    "python": Language(python.http_component, lambda: [python.COMPONENTIZE_PY, WASI], (WORLDS,)),
}


def built(name: str, source: Path) -> Path:
    """The guest in the cache, built if nothing that goes into it has been built before."""
    language = LANGUAGES[name]
    inputs: list[Path | str] = [
        *_neighbours(source),
        *language.shared,
        *language.versions(),
        Path(c.__file__).with_name(_module(name)),
    ]
    target = root() / "guests" / f"{source.parent.name}-{source.stem}-{key(inputs)}.wasm"
    return once(target, lambda out: language.build(source.absolute(), out))


def _neighbours(source: Path) -> list[Path]:
    """Every source beside it: what it may include or import."""
    return sorted(path for path in source.absolute().parent.iterdir() if path.suffix in {source.suffix, ".h"})


def _module(name: str) -> str:
    return "c.py" if name.startswith("c-") else f"{name}.py"


def build(name: str, source: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(built(name, source), out)
