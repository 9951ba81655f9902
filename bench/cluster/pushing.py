"""A build that no node has seen: from its push until a Pod on every node has answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from bench.cluster import programs
from bench.cluster.rig import APPS, PORT, Rig
from bench.cluster.sides import Side
from bench.cluster.watch import is_ready_on, pod_of
from bench.measure import Round, Row, interleaved, of_each
from examples.toolchain.run import tell

Push = Callable[[], str]
"""Brings what was built to the registry; the reference."""

UNITS = {"push to a 200 on each": "s", "the push alone": "s"}


def rows(found: Rig, rounds: int) -> list[Row]:
    tell(f"pushes to every node, {rounds} times")
    building = (partial(module, found), partial(image, found))
    measured = [partial(life, found, *each) for each in zip(found.sides, building, strict=True)]
    return of_each(f"{len(found.probes)} nodes", UNITS, found.peer, *interleaved(measured, rounds))


def life(found: Rig, side: Side, build: Callable[[str], Push]) -> Round:
    name = found.name()
    push = build(name)
    found.arm()
    began = time.time()
    reference = push()
    pushed = time.time()
    found.namespace.apply(*side.of(reference).app(name, scope="everyNode"))
    served = max(answer(found, name, node) for node in found.probes)
    found.disarm()
    found.clean()
    return dict(zip(UNITS, (served - began, pushed - began), strict=True))


def answer(found: Rig, app: str, node: str) -> float:
    """When the app's Pod on this node has answered."""
    ready = found.pods.first(f"{app} on {node}", pod_of(app, is_ready_on(node)))
    return found.probes[node].answered(ready.object["status"]["podIP"], PORT)


def module(found: Rig, mark: str) -> Push:
    return partial(found.namespace.push, programs.module(found.folder, mark), mark)


def image(found: Rig, mark: str) -> Push:
    reference = f"{found.cluster.registry}/{APPS}/httpd:{mark}"
    return partial(programs.push, programs.image(found.folder, reference, mark))
