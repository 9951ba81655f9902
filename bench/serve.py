"""Against `wasmtime serve`: wasi:http guests, a fresh instance for each request, default against default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.guests import GUESTS
from bench.load import load
from bench.measure import Round, Row, compared, interleaved
from bench.servers import Server, ours, theirs

TITLE = "wherry run against wasmtime serve"
PEER = "wasmtime serve"
MEASURES = (
    ("rate", "req/s", "throughput"),
    ("cpu", "µs", "CPU a request"),
    ("p50", "ms", "p50"),
    ("p99", "ms", "p99"),
)


@dataclass(frozen=True)
class Cores:
    """Where server and client run. On one core they are apart; on two they share both."""

    name: str
    server: str
    client: int | None
    workers: int
    connections: int


ONE = Cores("1 core", "0", 1, 1, 16)
TWO = Cores("2 cores", "0,1", None, 2, 32)


def measure(quick: bool) -> list[Row]:
    seconds, rounds = (1.0, 3) if quick else (1.0, 9)
    rows = []
    for cores in (ONE, TWO):
        for name, guest in GUESTS.items():
            with ours(guest(), cores.server, cores.workers) as mine, theirs(guest(), cores.server) as other:
                rows += against(f"{name}, {cores.name}", PEER, (mine, other), cores, seconds, rounds)
    return rows


def against(
    name: str, peer: str, servers: tuple[Server, Server], cores: Cores, seconds: float, rounds: int
) -> list[Row]:
    """Rows of throughput and latency of two servers that are both up."""

    def side(server: Server) -> Callable[[], Round]:
        return lambda: loaded(server, cores, seconds)

    for server in servers:
        load(server.port, 1.0, cores.connections, cores.client)
    mine, others = interleaved([side(server) for server in servers], rounds)
    return [
        compared(f"{name}: {label}", unit, peer, [taken[key] for taken in mine], [taken[key] for taken in others])
        for key, unit, label in MEASURES
    ]


def loaded(server: Server, cores: Cores, seconds: float) -> Round:
    """What the client saw, and the CPU that a request took: what a busy machine spoils least."""
    before = server.cpu()
    seen = load(server.port, seconds, cores.connections, cores.client)
    return {**seen, "cpu": (server.cpu() - before) / (seen["rate"] * seconds) * 1e6}
