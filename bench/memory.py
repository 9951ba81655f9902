"""Memory: proportional set sizes of the whole process tree, idle, under load, over many requests, of many apps."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from bench.engine import wasm_file
from bench.guests import GUESTS, cgi
from bench.load import load
from bench.measure import Row, alone, compared
from bench.serve import ONE
from bench.servers import Server, environment, ours, theirs
from examples.toolchain.cache import root
from wherry.engine.code import compiled
from wherry.engine.config import Build

TITLE = "memory of one worker and its supervisor"
PEER = "wasmtime serve"
APPS = (1, 10, 100, 1000)


def measure(quick: bool) -> list[Row]:
    rows = []
    for name in ("C",) if quick else GUESTS:
        rows += idle_and_loaded(name, GUESTS[name], 1 if quick else 3)
    rows.append(growth(GUESTS["C"](), 100_000 if quick else 1_000_000))
    return rows + many_apps(APPS[:3] if quick else APPS)


def idle_and_loaded(name: str, guest: Callable[[], Path], rounds: int) -> list[Row]:
    taken: dict[str, tuple[list[float], list[float]]] = {state: ([], []) for state in ("idle", "under load", "after")}
    for _ in range(rounds):
        with ours(guest(), ONE.server, ONE.workers) as mine, theirs(guest(), ONE.server) as other:
            for index, server in enumerate((mine, other)):
                for state, mebibytes in states(server).items():
                    taken[state][index].append(mebibytes)
    return [compared(f"{name}: {state}", "MiB", PEER, *values) for state, values in taken.items()]


def states(server: Server) -> dict[str, float]:
    """Before the first request, in the middle of two seconds of load, and when that is over."""
    found = {"idle": server.pss()}
    client = threading.Thread(target=load, args=(server.port, 2.0, ONE.connections, ONE.client))
    client.start()
    client.join(1.2)
    found["under load"] = server.pss()
    client.join()
    return {**found, "after": server.pss()}


def growth(guest: Path, requests: int) -> Row:
    """What a worker has gained between a warm start and the end of so many requests."""
    with ours(guest, ONE.server, ONE.workers) as server:
        rate = load(server.port, 3.0, ONE.connections, ONE.client)["rate"]
        before, left = server.pss(), float(requests)
        while left > 0:
            seconds = min(20.0, max(1.0, left / rate))
            left -= load(server.port, seconds, ONE.connections, ONE.client)["rate"] * seconds
        return alone(f"growth over {requests:,} requests", "MiB", [server.pss() - before])


def many_apps(counts: tuple[int, ...]) -> list[Row]:
    """KiB for each app when so many are loaded in one process, each from a file of its own, each run once."""
    code = compiled(wasm_file(cgi()), Build(), root() / "bench")
    command = [sys.executable, "-m", "bench.loaded", str(code), "0", *map(str, counts)]
    said = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout
    (_, empty), *loaded = (map(int, line.split()) for line in said.splitlines())
    return [alone(f"each of {count} apps", "KiB", [(kibibytes - empty) / count]) for count, kibibytes in loaded]
