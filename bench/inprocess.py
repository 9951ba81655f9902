"""Against a C program that makes the same C API calls: one request, in process, without a connection."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.ceiling.build import ceiling
from bench.engine import keep_resident, wasm_file
from bench.guests import c, cgi, javascript, python, tiny
from bench.measure import Round, Row, compared, interleaved
from examples.toolchain.cache import root
from wherry.engine.code import compiled
from wherry.engine.host import Host
from wherry.engine.http.guest import load
from wherry.engine.http.head import checked
from wherry.engine.http.pipes import ResponsePipe
from wherry.engine.prepare import Prepared, prepare
from wherry.plan.model import RunPlan

TITLE = "one request in process against the same C API calls from C"
PEER = "C program, same calls"
CORE = 0


@dataclass
class Asked:
    """What a guest's call reads of an exchange: a GET without a body."""

    stdout: ResponsePipe
    deadline: float = float("inf")
    cancelled: str = ""
    complete: bool = True
    received: int = 0
    stdin: None = None
    given: bytes | None = None
    body: list[bytes] = field(default_factory=list)
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        fields = [(b"host", b"localhost")]
        self.head = checked(b"GET", b"/x", "1.1", fields, keep_alive=True, max_body=None)
        self.connection = self
        self.peer = (b"127.0.0.1", b"40000")

    def give_head(self, head: bytes) -> None:
        self.given = head


@dataclass(frozen=True)
class Case:
    name: str
    guest: Callable[[], Path]
    requests: int


CASES = (
    Case("tiny module", tiny, 20_000),
    Case("C module (CGI)", cgi, 10_000),
    Case("C component", c, 5_000),
    Case("JS component", javascript, 1_000),
    Case("Python component", python, 300),
)


def measure(quick: bool) -> list[Row]:
    rounds, share = (3, 10) if quick else (9, 1)
    os.sched_setaffinity(0, {CORE})
    return [row(case, max(50, case.requests // share), rounds) for case in CASES]


def row(case: Case, requests: int, rounds: int) -> Row:
    plan = RunPlan("http", wasm_file(case.guest()), port=8080)
    host = Host(cache=root() / "bench")
    prepared = prepare(plan, host)
    # The C program has the engine make its memories, and fill them.
    plain = compiled(plan.wasm, replace(prepared.build, lifted=False), host.cache)
    with ExitStack() as stack:
        side = in_python(prepared, host, requests, stack)
        mine, others = interleaved([side, lambda: in_c(prepared, plain, requests)], rounds)
    values = [[each["us"] for each in taken] for taken in (mine, others)]
    return compared(case.name, "µs of CPU", PEER, values[0], values[1])


def in_python(prepared: Prepared, host: Host, requests: int, stack: ExitStack) -> Callable[[], Round]:
    guest: Any = load(prepared, host, 16, 8080)
    stack.callback(guest.close)
    call = guest.new_call()
    pipe = ResponsePipe()
    stack.callback(pipe.close)
    asked: Any = Asked(pipe)

    def batch(count: int) -> Round:
        began = time.process_time()
        for _ in range(count):
            outcome = call(asked)
            assert outcome.ending.code == 0, outcome.ending
            assert pipe.read()
        return {"us": (time.process_time() - began) / count * 1e6}

    batch(requests // 5)
    return lambda: batch(requests)


def in_c(prepared: Prepared, code: Path, requests: int) -> Round:
    kind = "outbound" if prepared.build.adapter.endswith("outbound") else prepared.kind
    command = [ceiling(), kind, code, str(requests), "1", str(keep_resident(Path(prepared.plan.wasm.path)))]
    environment = {**os.environ, "WASMTIME_BACKTRACE_DETAILS": "1"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return {"us": float(said) / 1e3}
