"""What a fetched binary is: the bytes decide, whatever its publisher says of it."""

from __future__ import annotations

import mmap
import threading
from dataclasses import dataclass
from pathlib import Path

from wherry.errors import ArtifactError, InvalidModule
from wherry.wasm.inspect import inspect, inspection
from wherry.wasm.names import Names

NAMES = 64
NAME_LENGTH = 128
_ONE = threading.Lock()
_DECIDING = ("_start", "wasi:http/", "wasi:cli/run")
"""How exports begin that say how a guest is run."""


@dataclass(frozen=True, slots=True)
class Binary:
    """imports, exports: at most NAMES, because a status is kept by every client; those that decide `run` are first
    kept, and longer ones than NAME_LENGTH left out. world: as `wherry.wasm.module` says of these names, "" for none.
    """

    kind: str
    world: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    size: int


def read(path: Path, where: str) -> Binary:
    """Read where it lies, without a copy in memory; one at a time, because it is computing. Raises ArtifactError."""
    try:
        with _ONE, path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = inspect(data)
    except InvalidModule as error:
        raise ArtifactError(f"{where}: {error.message}", cure=error.cure or "push a .wasm file") from None
    except ValueError:
        raise ArtifactError(f"{where}: an empty file", cure="push a .wasm file") from None
    names = Names(shown(found.imports), shown(found.exports))
    return Binary(found.kind, inspection(found.kind, names, found.size).world, names.imports, names.exports, found.size)


def shown(names: tuple[str, ...]) -> tuple[str, ...]:
    """As many as a status holds, in the binary's order."""
    short = [name for name in names if len(name) <= NAME_LENGTH and name.isprintable()]
    deciding = [name for name in short if name.startswith(_DECIDING)][:NAMES]
    others = [name for name in short if not name.startswith(_DECIDING)][: NAMES - len(deciding)]
    kept = {*deciding, *others}
    return tuple(name for name in short if name in kept)
