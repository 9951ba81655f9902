"""The first half of every run: what needs this host's files. Checked and compiled, but nothing loaded.

What comes after needs only the compiled code: a process may give up its view of the host in between.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

from wherry.engine.admit import adapter_of, admit
from wherry.engine.code import compiled, known
from wherry.engine.config import SMALL_MEMORY, Build
from wherry.engine.eviction import evict
from wherry.engine.host import Host
from wherry.errors import InvalidModule, StartError
from wherry.plan.model import RunPlan, WasmFile
from wherry.wasm.inspect import inspect
from wherry.wasm.memory import largest_memory
from wherry.wasm.module import Inspection, Kind


@dataclass(frozen=True, slots=True)
class Prepared:
    """kind: of the code, after composing. entry: the export that runs it. code: a file that may be loaded."""

    plan: RunPlan
    kind: Kind
    entry: str
    build: Build
    code: str


def prepare(plan: RunPlan, host: Host) -> Prepared:
    """Compile if need be. Raises StartError."""
    inspection = inspected(plan.wasm)
    memory = _memory(plan.wasm, plan.limits.memory)
    entry = admit(inspection, plan.run, plan.wasm.path)
    build = Build(
        adapter=adapter_of(inspection, plan.run, plan.outbound),
        fuel=plan.limits.fuel is not None,
        lifted=plan.run == "http" and memory > SMALL_MEMORY,
    )
    code = str(_code(plan.wasm, build, host))
    return Prepared(plan, inspection.kind, entry, build, code)


def _code(wasm: WasmFile, build: Build, host: Host) -> Path:
    if code := known(wasm, build, host.cache):
        return code
    code = compiled(wasm, build, host.cache, host.report)
    evict(host.cache, host.quota)
    return code


def _memory(wasm: WasmFile, limit: int) -> int:
    """What it begins with. Raises StartError `memory` when that is more than the limit, bytes: it need not begin."""
    with open(wasm.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        least = largest_memory(data)
    if least > limit:
        begins, allowed = (f"{each / (1 << 20):g} MiB" for each in (least, limit))
        sentence = f"the module's memory begins with {begins}, expected at most the {allowed} of limits.memory"
        raise StartError("memory", sentence, cure="raise limits.memory")
    return least


def inspected(wasm: WasmFile) -> Inspection:
    """What the file says of itself. Raises StartError `artifact` or `invalid-module`."""
    try:
        with Path(wasm.path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return inspect(data)
    except (OSError, ValueError) as error:
        raise StartError("artifact", f"{wasm.path}: {error}, expected a Wasm file") from error
    except InvalidModule as error:
        raise StartError("invalid-module", f"{wasm.path}: {error.message}", cure=error.cure) from error
