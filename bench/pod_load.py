"""HTTP through a pod, against the same program without one: `wherry run` for Wasm, the bare process for a container."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bench.load import load
from bench.measure import Round, Row, compared, interleaved
from bench.pods import PORT, http_seen
from bench.servers import ours as wherry_run
from tests.support import images
from tests.support.containerd import Containerd
from tests.support.pods import until
from tests.support.ports import free_port
from tests.support.workloads import Side, side

CONNECTIONS = 32


def through_a_pod(node: Containerd, both: tuple[Side, Side], seconds: float, rounds: int) -> list[Row]:
    """Two rows for each handler: its pod against itself alone, both with one worker and the client on the same cores.

    On the host's network nothing but the pod is between them; on its own network a virtual link is, too.
    """
    names = list(dict.fromkeys(each.handler for each in both))
    return [_row(node, name, own, seconds, rounds) for name in names for own in (False, True)]


def _row(node: Containerd, name: str, own_network: bool, seconds: float, rounds: int) -> Row:
    port = PORT if own_network else free_port()
    chosen = side(name, port)
    pod = node.run(chosen.http.pod("load", host_network=not own_network), chosen.handler)
    pod.start(chosen.http.container())
    address = pod.ip if own_network else "127.0.0.1"
    http_seen(address, port)
    with _alone(chosen) as other:
        inside, outside = _loaded(seconds, port, address), _loaded(seconds, other, "127.0.0.1")
        ours, theirs = ([each["rate"] for each in taken] for taken in interleaved([inside, outside], rounds))
    pod.remove()
    network = "its own" if own_network else "the host's"
    return compared(f"{node.version}: HTTP to {name} on {network} network", "req/s", "the same alone", ours, theirs)


def _loaded(seconds: float, port: int, host: str) -> Callable[[], Round]:
    return partial(load, port, seconds, CONNECTIONS, None, host)


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
