"""The ceiling program, built against the library that the wasmtime wheel brings."""

from __future__ import annotations

from pathlib import Path

from examples.toolchain.cache import key, once
from examples.toolchain.programs import tools
from examples.toolchain.run import require, run
from wherry.engine.capi import LIBRARY, VERSION
from wherry.engine.config import Pooling

SOURCES = Path(__file__).parent


def ceiling() -> Path:
    """The program. It pools as the engine does by default."""
    keep = f"-DKEEP_RESIDENT={Pooling(1, 1).keep_resident}"
    target = tools() / f"ceiling-{key([SOURCES / 'ceiling.c', SOURCES / 'api.h', VERSION, keep])}"
    return once(target, lambda out: _build(out, keep))


def _build(out: Path, keep: str) -> None:
    gcc = require("gcc", "install gcc, or Debian's build-essential")
    link = [f"-L{LIBRARY.parent}", f"-l:{LIBRARY.name}", f"-Wl,-rpath,{LIBRARY.parent}"]
    run([gcc, "-O2", "-Wall", "-Wextra", "-Werror", keep, SOURCES / "ceiling.c", "-o", out, *link])
