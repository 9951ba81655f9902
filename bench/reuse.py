"""Against `wasmtime serve` beyond the defaults: the same settings on both sides, and instances reused on both sides."""

from __future__ import annotations

import urllib.request
from mmap import PAGESIZE
from pathlib import Path

from bench.guests import EXAMPLES, GUESTS
from bench.measure import Row
from bench.serve import ONE, against
from bench.servers import ours, ours_with, theirs
from examples.toolchain.languages import built
from examples.toolchain.run import tell
from wherry.engine.config import SMALL_MEMORY
from wherry.engine.http.written import MOST_PAGES
from wherry.wasm.memory import largest_memory

TITLE = "wherry run against wasmtime serve, the same settings on both sides"
PEER = "wasmtime serve"
REUSED = 128
REUSABLE = ("C", "Python")
"""A componentize-js guest fails its second request, in either server."""


def measure(quick: bool) -> list[Row]:
    seconds, rounds = (1.0, 3) if quick else (1.0, 9)
    return [*same_settings(seconds, rounds), *both_reuse(seconds, rounds)]


def same_settings(seconds: float, rounds: int) -> list[Row]:
    rows = []
    for name, guest in GUESTS.items():
        with ours(guest(), ONE.server, 1) as mine, theirs(guest(), ONE.server, *flags_for(guest())) as other:
            rows += against(f"{name}, same settings", PEER, (mine, other), ONE, seconds, rounds)[:2]
    return rows


def flags_for(guest: Path) -> list[str]:
    """The peer's settings that are next to ours: a small memory is reset whole, of a larger one what was written."""
    small = largest_memory(guest.read_bytes()) <= SMALL_MEMORY
    kept, scan = (SMALL_MEMORY, "n") if small else (MOST_PAGES * PAGESIZE, "y")
    sizes = [f"-Opooling-{what}-keep-resident={kept}" for what in ("memory", "table")]
    return [*sizes, f"-Opooling-pagemap-scan={scan}"]


def both_reuse(seconds: float, rounds: int) -> list[Row]:
    if not we_reuse():
        tell("the engine does not reuse instances: that part has no figure")
        return []
    rows = []
    for name in REUSABLE:
        guest = GUESTS[name]()
        flags = "--max-instance-reuse-count", str(REUSED)
        with (
            ours_with(ONE.server, str(guest), "--reuse", str(REUSED)) as mine,
            theirs(guest, ONE.server, *flags) as other,
        ):
            rows += against(f"{name}, {REUSED} requests an instance", PEER, (mine, other), ONE, seconds, rounds)[:2]
    return rows


def we_reuse() -> bool:
    """Asked of the guest that counts its requests."""
    guest = built("c-http", EXAMPLES / "10-counter-leak" / "counter.c")
    with ours_with(ONE.server, str(guest), "--reuse", str(REUSED)) as server:
        answers = [urllib.request.urlopen(f"http://127.0.0.1:{server.port}/x").read() for _ in range(2)]
    return bool(answers[0] != answers[1])
