"""What a worker needs to know, as one value: found out by the planner, handed over in memory that only the two have.

It is read with as few objects as can be: marshal and constructors, where pickle would cost each worker a megabyte.
"""

from __future__ import annotations

import marshal
import os
from dataclasses import astuple, dataclass
from typing import Any

from wherry.engine.config import Build
from wherry.engine.prepare import Prepared
from wherry.plan.model import Limits, Mount, RunPlan, WasmFile
from wherry_shim.linux.calls import Call


@dataclass(frozen=True, slots=True)
class Start:
    """prepared: compiled. workers: processes that serve. calls: what makes an ordinary process a guest's, in order.

    log: the termination log, "" for none.
    """

    prepared: Prepared
    workers: int
    calls: tuple[Call, ...]
    log: str


def write(start: Start, memory: int) -> None:
    """memory: an empty memfd. Raises OSError."""
    data = memoryview(marshal.dumps(astuple(start)))
    while data:
        data = data[os.write(memory, data) :]


def read(memory: int) -> Start:
    """What was written; closes the descriptor. The code is open, by a path that holds whatever the root is."""
    size = os.lseek(memory, 0, os.SEEK_END)
    # A process of ours wrote it, where nobody else can.
    prepared, *rest = marshal.loads(os.pread(memory, size, 0))  # noqa: S302
    os.close(memory)
    return Start(_prepared(*prepared), *rest)


def _prepared(plan: tuple[Any, ...], kind: Any, entry: str, build: tuple[Any, ...], code: str) -> Prepared:
    descriptor = os.open(code, os.O_RDONLY | os.O_CLOEXEC)
    return Prepared(_plan(*plan), kind, entry, Build(*build), f"/proc/self/fd/{descriptor}")


def _plan(  # noqa: PLR0913, PLR0917 - a plan's fields
    run: Any, wasm: Any, argv: Any, env: Any, mounts: Any, port: int, drain: float, limits: Any, outbound: Any
) -> RunPlan:
    granted = tuple(Mount(*mount) for mount in mounts)
    return RunPlan(run, WasmFile(*wasm), argv, env, granted, port, drain, Limits(*limits), outbound)
