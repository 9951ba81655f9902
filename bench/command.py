"""Against the `wasmtime` CLI: a command from its start to its exit, with the code compiled before."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.engine import wasm_file
from bench.guests import cgi, go, rust
from bench.measure import Round, Row, compared, interleaved
from bench.servers import environment, precompiled, wasmtime
from examples.toolchain.cache import root
from wherry.engine.host import Host
from wherry.engine.run import run
from wherry.plan.model import RunPlan

TITLE = "a command against the wasmtime CLI"
PEER = "wasmtime run, whole process"


@dataclass(frozen=True)
class Case:
    name: str
    guest: Callable[[], Path]


CASES = (Case("C", cgi), Case("Rust", rust), Case("Go", go))


def measure(quick: bool) -> list[Row]:
    rounds, times = (3, 3) if quick else (9, 7)
    rows = []
    with nowhere() as stdio:
        for case in CASES:
            rows += rows_of(case, stdio, rounds, times)
    return rows


def rows_of(case: Case, stdio: tuple[int, int, int], rounds: int, times: int) -> list[Row]:
    guest = case.guest()
    plan, host = RunPlan("command", wasm_file(guest)), Host(stdio=stdio, cache=root() / "bench")
    theirs = process([str(wasmtime()), "run", "--allow-precompiled", str(precompiled(guest))], stdio)
    whole = process([str(Path(sys.executable).with_name("wherry")), "run", str(guest)], stdio)
    sides = [repeated(side, times) for side in (lambda: once(plan, host), theirs, whole)]
    warm, other, process_of_ours = ([each["ms"] for each in taken] for taken in interleaved(sides, rounds))
    return [
        compared(f"{case.name}: engine.run in a warm process", "ms", PEER, warm, other),
        compared(f"{case.name}: the whole wherry run process", "ms", PEER, process_of_ours, other),
    ]


def once(plan: RunPlan, host: Host) -> None:
    ending = run(plan, host)
    assert ending.code == 0, ending


def process(command: Sequence[str], stdio: tuple[int, int, int]) -> Callable[[], None]:
    variables = environment()

    def start_to_exit() -> None:
        subprocess.run(command, stdin=stdio[0], stdout=stdio[1], stderr=stdio[2], env=variables, check=True)

    return start_to_exit


def repeated(action: Callable[[], None], times: int) -> Callable[[], Round]:
    """The median of a few: one slow start says nothing."""

    def measured() -> Round:
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            action()
            taken.append((time.perf_counter() - began) * 1e3)
        return {"ms": median(taken)}

    action()
    return measured


@contextmanager
def nowhere() -> Iterator[tuple[int, int, int]]:
    descriptor = os.open(os.devnull, os.O_RDWR)
    try:
        yield descriptor, descriptor, descriptor
    finally:
        os.close(descriptor)
