"""HTTP through a pod, against the same program without one: `wherry run` for Wasm, the bare process for a container.

The program without a pod runs beside an empty one: in its cgroups and on its network. Outside of them it would have
another share of the processors than a pod, and no link between it and the client.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.load import load
from bench.measure import Round, Row, compared, interleaved
from bench.pods import PORT, container, http_seen
from bench.servers import environment
from tests.support import images, processes
from tests.support.containerd import Containerd
from tests.support.pods import Pod
from tests.support.ports import free_port
from tests.support.workloads import Side, side

CONNECTIONS = 32


def through_a_pod(node: Containerd, both: tuple[Side, Side], seconds: float, rounds: int) -> list[Row]:
    """Two rows for each handler: its pod against itself alone, both with one worker and the client on all cores."""
    names = list(dict.fromkeys(each.handler for each in both))
    return [_row(node, name, own, seconds, rounds) for name in names for own in (False, True)]


def _row(node: Containerd, name: str, own_network: bool, seconds: float, rounds: int) -> Row:
    ours, theirs = (side(name, PORT if own_network else free_port()) for _ in range(2))
    pods = [node.run(each.http.pod("load", host_network=not own_network), each.handler) for each in (ours, theirs)]
    pods[0].start(container(node, ours.http))
    with _alone(theirs, processes.holder(pods[1])):
        measured = [_loaded(seconds, *pair) for pair in zip((ours, theirs), pods, strict=True)]
        inside, outside = ([each["rate"] for each in taken] for taken in interleaved(measured, rounds))
    for pod in pods:
        pod.remove()
    network = "its own" if own_network else "the host's"
    return compared(f"{node.version}: HTTP to {name} on {network} network", "req/s", "the same alone", inside, outside)


def _loaded(seconds: float, side: Side, pod: Pod) -> Callable[[], Round]:
    address = pod.ip or "127.0.0.1"
    http_seen(address, side.port)
    return partial(load, side.port, seconds, CONNECTIONS, None, address)


@contextmanager
def _alone(side: Side, beside: int) -> Iterator[None]:
    """The program of a side, in the cgroups and on the network of this process."""
    command = [sys.executable, "-m", "bench.beside", str(beside), *_command(side)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as process:
        try:
            yield
        finally:
            process.terminate()


def _command(side: Side) -> list[str]:
    if not side.handler.startswith("wherry"):
        return [str(images.native(side.http.image)), str(side.port)]
    flags = ["--workers", "1", "--set", "spec.run=http", "--address", "::", "--port", str(side.port)]
    return [str(Path(sys.executable).with_name("wherry")), "run", str(images.WASM[side.http.image]()), *flags]
