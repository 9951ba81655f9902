"""The ceiling program, built against the library that the wasmtime wheel brings."""

from __future__ import annotations

from pathlib import Path

from examples.toolchain.cache import key, once
from examples.toolchain.programs import tools
from examples.toolchain.run import require, run
from wherry.engine.capi import LIBRARY, VERSION
from wherry.engine.config import FIXED

SOURCES = Path(__file__).parent


def ceiling() -> Path:
    """The program. Its settings are the engine's own."""
    settings = {name.upper(): int(value) for name, value in FIXED.items()}
    defines = [f"-D{name}={value}" for name, value in settings.items()]
    target = tools() / f"ceiling-{key([SOURCES / 'ceiling.c', SOURCES / 'api.h', VERSION, *defines])}"
    return once(target, lambda out: _build(out, defines))


def _build(out: Path, defines: list[str]) -> None:
    gcc = require("gcc", "install gcc, or Debian's build-essential")
    link = [f"-L{LIBRARY.parent}", f"-l:{LIBRARY.name}", f"-Wl,-rpath,{LIBRARY.parent}"]
    run([gcc, "-O2", "-Wall", "-Wextra", "-Werror", *defines, SOURCES / "ceiling.c", "-o", out, *link])
