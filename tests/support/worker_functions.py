"""`python -m tests.support.worker_functions`: which functions workers run, one on a line.

A guest of each kind is loaded and run in a process that notes every function that is called there.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection
from types import FrameType
from typing import Any, NoReturn

from tests.e2e.programs import HELLO, ROUTER
from tests.support.commands import CACHE, wasm_file
from tests.support.ports import free_port
from wherry.engine.host import Host
from wherry.engine.prepare import prepare
from wherry.engine.run import load
from wherry.plan.model import Limits, RunPlan
from wherry_shim.worker import worker  # noqa: F401 - with all that a worker has imported before it runs
from wherry_shim.worker.start import Start, read, write

REQUESTS = 3
PATIENCE = 30.0


def recorded() -> set[str]:
    """`module:qualified name` of all that run from the reading of the start to the end."""
    port = free_port()
    limits = Limits(timeout=PATIENCE)
    served = [RunPlan("http", wasm_file(each), port=port, limits=limits) for each in (HELLO, ROUTER)]
    found = [_recorded(plan, lambda pid: _served(pid, port)) for plan in served]
    return set().union(*found, _recorded(RunPlan("command", wasm_file(HELLO)), lambda pid: None))


def _recorded(plan: RunPlan, use: Callable[[int], None]) -> set[str]:
    """Of one guest, in a child, of which use(pid) sees to it that it ends."""
    host = Host(cache=CACHE, workers=1, alone=True, stdio=(0, 2, 2))
    memory = os.memfd_create("start")
    write(Start(prepare(plan, host), 1, (), ""), memory)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        _run(memory, host, writer)
    os.close(writer)
    os.close(memory)
    use(pid)
    with open(reader, encoding="ascii") as said:
        names = set(said.read().split("\n"))
    os.waitpid(pid, 0)
    return names - {""}


def _run(memory: int, host: Host, writer: int) -> NoReturn:
    seen = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            seen.add(f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}")

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        load(read(memory).prepared, host).run()
    finally:
        sys.setprofile(None)
        os.write(writer, "\n".join(seen).encode())
        os._exit(0)


def _served(pid: int, port: int) -> None:
    try:
        _ask(port)
    finally:
        os.kill(pid, signal.SIGTERM)  # it has not been waited for: there is nobody else of that number


def _ask(port: int) -> None:
    """Requests on one connection, once somebody listens. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(ConnectionError), closing(HTTPConnection("127.0.0.1", port, PATIENCE)) as client:
            for _ in range(REQUESTS):
                client.request("GET", "/")
                answer = client.getresponse()
                assert (answer.status, bool(answer.read())) == (200, True)
            return
        time.sleep(0.01)
    raise TimeoutError(f"nobody listens on {port}")


if __name__ == "__main__":
    print("\n".join(sorted(recorded())))
