"""HTTP through a pod, against the same program without one: `wherry run` for Wasm, the bare process for a container."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bench.load import load
from bench.measure import Row, compared, interleaved
from bench.pods import PORT, Side, http_seen, started
from bench.servers import ours as wherry_run
from tests.support import images
from tests.support.containerd import Containerd
from tests.support.pods import until
from tests.support.ports import free_port

CONNECTIONS = 32


def through_a_pod(node: Containerd, both: tuple[Side, Side], seconds: float, rounds: int) -> list[Row]:
    """One row for each handler: its pod against itself alone, both with one worker and the client on the same cores.

    A pod is reached over its virtual link: that is most of what the native side shows.
    """
    return [_row(node, each, seconds, rounds) for each in {each.handler: each for each in both}.values()]


def _row(node: Containerd, side: Side, seconds: float, rounds: int) -> Row:
    pod, _ = started(node, side, side.http)
    address = pod.ip
    http_seen(address)
    with _alone(side) as port:
        measured = [
            lambda: load(PORT, seconds, CONNECTIONS, None, address),
            lambda: load(port, seconds, CONNECTIONS, None),
        ]
        inside, outside = ([each["rate"] for each in taken] for taken in interleaved(measured, rounds))
    pod.remove()
    return compared(f"{node.version}: HTTP through a pod of {side.name}", "req/s", "the same alone", inside, outside)


@contextmanager
def _alone(side: Side) -> Iterator[int]:
    if side.handler.startswith("wherry"):
        with wherry_run(images.WASM[side.http.image](), "0-1", 1) as server:
            yield server.port
    else:
        with _process(side.http.image) as port:
            yield port


@contextmanager
def _process(name: str) -> Iterator[int]:
    """A native program of the tests on loopback."""
    port = free_port()
    with subprocess.Popen([images.native(name), str(port)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            until(process.stdout.readline)
            yield port
        finally:
            process.terminate()
