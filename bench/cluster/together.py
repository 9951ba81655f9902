"""Many apps by one `kubectl apply`, until each has answered through its own Service."""

from __future__ import annotations

import time
from functools import partial

from bench.cluster import nodes
from bench.cluster.journal import journal, starts
from bench.cluster.rig import Rig
from bench.cluster.sides import Side
from bench.measure import Round, Row, interleaved, of_each
from examples.toolchain.run import tell

EVERY = 0.05
"""Seconds between two questions to one Service: many are asked at once."""
UNITS = {
    "kubectl apply to 200 through every Service": "s",
    "until kubectl ends": "s",
    "until the first sandbox's start": "s",
    "until the last sandbox's start": "s",
    "CPU of all nodes": "CPU-s",
}


def rows(found: Rig, apps: int, rounds: int) -> list[Row]:
    tell(f"{apps} apps together, {rounds} times")
    taken = interleaved([partial(burst, found, side, apps) for side in found.sides], rounds)
    return of_each(f"{apps} apps", UNITS, found.peer, *taken)


def burst(found: Rig, side: Side, apps: int) -> Round:
    names, before = [found.name() for _ in range(apps)], nodes.cpu_seconds(found.cluster)
    began = time.time()
    found.namespace.apply(*(each for name in names for each in side.app(name)))
    applied = time.time()
    addresses = [found.address(name) for name in names]
    for address in addresses:
        found.probe.ask(address, 80, EVERY)
    served = max(found.probe.answered(address, 80) for address in addresses)
    used = nodes.cpu_seconds(found.cluster) - before
    asked = sandboxes(found, began)
    found.clean()
    times = (each - began for each in (served, applied, min(asked), max(asked)))
    return dict(zip(UNITS, (*times, used), strict=True))


def sandboxes(found: Rig, since: float) -> list[float]:
    """When the kubelets asked for those of the Pods that are there."""
    logged = {uid: each for node in found.probes for uid, each in starts(journal(found.cluster, node, since)).items()}
    return [logged[pod["metadata"]["uid"]].asked for pod in found.all_pods()]
