"""The first half of every run: what needs this host's files. Checked and compiled, but nothing loaded.

What comes after needs only the compiled code: a process may give up its view of the host in between.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

from wherry.engine.admit import adapter_of, admit
from wherry.engine.code import compiled, known
from wherry.engine.config import Build
from wherry.engine.eviction import evict
from wherry.engine.host import Host
from wherry.errors import InvalidModule, StartError
from wherry.plan.model import RunPlan, WasmFile
from wherry.wasm.inspect import inspect
from wherry.wasm.memory import largest_memory
from wherry.wasm.module import Inspection, Kind


@dataclass(frozen=True, slots=True)
class Prepared:
    """kind: of the code, after composing. entry: the export that runs it. code: a file that may be loaded.

    memory: bytes of its largest memory at its start.
    """

    plan: RunPlan
    kind: Kind
    entry: str
    build: Build
    code: str
    memory: int


def prepare(plan: RunPlan, host: Host) -> Prepared:
    """Compile if need be. Raises StartError."""
    inspection = inspected(plan.wasm)
    entry = admit(inspection, plan.run, plan.wasm.path)
    build = Build(adapter=adapter_of(inspection, plan.run, plan.outbound), fuel=plan.limits.fuel is not None)
    code = str(_code(plan.wasm, build, host))
    return Prepared(plan, inspection.kind, entry, build, code, _memory(plan.wasm))


def _code(wasm: WasmFile, build: Build, host: Host) -> Path:
    if code := known(wasm, build, host.cache):
        return code
    code = compiled(wasm, build, host.cache, host.report)
    evict(host.cache, host.quota)
    return code


def _memory(wasm: WasmFile) -> int:
    with open(wasm.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return largest_memory(data)


def inspected(wasm: WasmFile) -> Inspection:
    """What the file says of itself. Raises StartError `artifact` or `invalid-module`."""
    try:
        with Path(wasm.path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return inspect(data)
    except (OSError, ValueError) as error:
        raise StartError("artifact", f"{wasm.path}: {error}, expected a Wasm file") from error
    except InvalidModule as error:
        raise StartError("invalid-module", f"{wasm.path}: {error.message}", cure=error.cure) from error
