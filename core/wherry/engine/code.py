"""Compiled code and its cache: `<cache>/aot/<wasm digest>/<build key>.cwasm`, and a seal beside each.

The first process that wants an entry compiles it under a lock; the others wait. Machine code comes from this machine's
compiler and from nowhere else.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_void_p
from pathlib import Path
from typing import Self

from wherry.engine import capi
from wherry.engine.compiler import STANDARD, Compiler, Report
from wherry.engine.config import Build, Engine
from wherry.engine.eviction import touch
from wherry.engine.host import silent
from wherry.engine.seal import Sealer, locked, machine_key
from wherry.errors import StartError
from wherry.plan.model import WasmFile
from wherry.wasm.module import Kind

_FULL = {errno.ENOSPC, errno.EDQUOT}


def known(wasm: WasmFile, build: Build, cache: Path) -> Path | None:
    """The code, if it was compiled before. Raises StartError `compile` for a cache that cannot be used."""
    with _usable(cache):
        code, context = _entry(wasm, build, cache)
        if not _sealer(cache).trusts(code, context):
            return None
        touch(code)
        return code


def compiled(wasm: WasmFile, build: Build, cache: Path, report: Report = silent, compiler: Compiler = STANDARD) -> Path:
    """A file of machine code for these bytes that may be loaded, compiled now if it is not there yet.

    Raises StartError: `artifact` (no such file), `digest-mismatch`, `invalid-module`, `compile`.
    """
    if code := known(wasm, build, cache):
        return code
    with _usable(cache):
        sealer = _sealer(cache)
        code, context = _entry(wasm, build, cache)
        _private(code.parent)
        with locked(code):
            if not sealer.trusts(code, context):
                compiler.compile(wasm, build, code, report)
                _seal(sealer, code, context)
        return code


def _entry(wasm: WasmFile, build: Build, cache: Path) -> tuple[Path, str]:
    """Where the code is, and what its seal is for."""
    folder = cache / "aot" / wasm.digest.removeprefix("sha256:")
    return folder / f"{build.key}.cwasm", f"{wasm.digest} {build.key}"


def _sealer(cache: Path) -> Sealer:
    _private(cache / "aot")
    return Sealer(machine_key(cache / "aot" / "key"))


def _seal(sealer: Sealer, code: Path, context: str) -> None:
    try:
        sealer.seal(code, context)
    except OSError:
        code.unlink()
        raise


class Code:
    """Loaded code: a wasmtime_module_t or wasmtime_component_t, mapped from `path`. Close it before its engine."""

    def __init__(self, pointer: int, kind: Kind, path: str | Path) -> None:
        self.pointer = pointer
        self.path = path
        self.kind = kind

    def close(self) -> None:
        if self.pointer:
            (capi.component_delete if self.kind == "component" else capi.module_delete)(self.pointer)
        self.pointer = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load(engine: Engine, code: str | Path, kind: Kind) -> Code:
    """Map a file that `compiled` returned. kind: of what was compiled, after composing. Raises StartError `compile`."""
    deserialize = capi.component_deserialize_file if kind == "component" else capi.module_deserialize_file
    pointer = c_void_p()
    if error := deserialize(engine.pointer, os.fsencode(code), byref(pointer)):
        raise StartError("compile", f"compiled code {code}: {capi.take_error(error)}", cure=f"delete {code}")
    assert pointer.value  # noqa: S101 - narrows the type: success always sets it
    return Code(pointer.value, kind, code)


@contextmanager
def _usable(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cure = "free some space there" if error.errno in _FULL else "set WHERRY_CACHE to a folder of your own"
        where = f" ({error.filename})" if error.filename else ""
        raise StartError("compile", f"cache folder {cache}: {error.strerror}{where}", cure=cure) from error


def _private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
