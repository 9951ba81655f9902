"""Pods of Wasm against pods of containers, on the same containerd, taken in turns: how long they take and what they
compute, how many come at once, and what they answer.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench.measure import Round, Row, compared, interleaved
from bench.pod_load import through_a_pod
from bench.pods import container, cpu_seconds, http_seen, line_seen, nodes, started
from tests.support.containerd import Containerd
from tests.support.workloads import Side

TITLE = "a pod against a pod of runc, by CRI"
LIVES = 10
"""Pods whose CPU time is taken together: one alone is less than what a shim's own end may be late."""
PARALLEL = 20
MEASURES = ("sandbox", "first line", "first HTTP 200", "stop and remove", "CPU of a pod's life")
"""Of one pod's life, in milliseconds; `sandbox` is the first call's part of `first line`."""


@dataclass(frozen=True)
class Size:
    """How much of everything is measured."""

    lives: int
    bursts: int
    loads: int
    seconds: float


FULL = Size(9, 9, 9, 3.0)
QUICK = Size(3, 1, 1, 1.0)


def measure(quick: bool) -> list[Row]:
    size = QUICK if quick else FULL
    return [row for node, both in nodes(quick) for row in rows_of(node, both, size)]


def rows_of(node: Containerd, both: tuple[Side, Side], size: Size) -> list[Row]:
    rows = lives(node, both, size.lives)
    rows += bursts(node, both, size.bursts)
    return [*rows, *through_a_pod(node, both, size.seconds, size.loads)]


def lives(node: Containerd, both: tuple[Side, Side], rounds: int) -> list[Row]:
    """From the first call of CRI until the line, the answer, the end; and the CPU of it all."""
    measured = [partial(life, node, each) for each in both]
    for first in measured:
        first()  # the first pod of a handler finds nothing in any cache
    ours, theirs = interleaved(measured, rounds)
    return [
        compared(
            f"{node.version}: {name}",
            "ms",
            both[1].name,
            [each[name] for each in ours],
            [each[name] for each in theirs],
        )
        for name in MEASURES
    ]


def life(node: Containerd, side: Side) -> Round:
    return {**line_and_removal(node, side), "first HTTP 200": first_answer(node, side), **cpu(node, side)}


def line_and_removal(node: Containerd, side: Side) -> Round:
    times = [time.perf_counter()]
    pod = node.run(side.hold.pod("bench"), side.handler)
    times.append(time.perf_counter())
    line_seen(pod.start(container(node, side.hold)), side.hold.line)
    times.append(time.perf_counter())
    pod.remove()
    began, up, seen, gone = ((each - times[0]) * 1e3 for each in (*times, time.perf_counter()))
    return {"sandbox": up - began, "first line": seen - began, "stop and remove": gone - seen}


def first_answer(node: Containerd, side: Side) -> float:
    """Milliseconds. The pod's address is asked for when its container runs, as an endpoint controller would."""
    began = time.perf_counter()
    pod, _ = started(node, side, side.http)
    http_seen(pod.ip)
    took = (time.perf_counter() - began) * 1e3
    pod.remove()
    return took


def cpu(node: Containerd, side: Side) -> Round:
    """Milliseconds of CPU for each pod that was created, said its line, and was removed with all that belongs to it.

    What waits for the next pod is there before and after, as on a node in use.
    """
    node.wait_until_idle(30)
    before = cpu_seconds(node)
    for _ in range(LIVES):
        line_and_removal(node, side)
    node.wait_until_idle(30)
    return {"CPU of a pod's life": (cpu_seconds(node) - before) / LIVES * 1e3}


def bursts(node: Containerd, both: tuple[Side, Side], rounds: int) -> list[Row]:
    """Pods a second when so many are asked for at once, each until its line."""
    measured = [partial(burst, node, each) for each in both]
    ours, theirs = ([each["rate"] for each in taken] for taken in interleaved(measured, rounds))
    return [compared(f"{node.version}: {PARALLEL} in parallel", "pods/s", both[1].name, ours, theirs)]


def burst(node: Containerd, side: Side) -> Round:
    def one(_: int) -> None:
        container = started(node, side, side.hold)[1]
        line_seen(container, side.hold.line)

    with ThreadPoolExecutor(PARALLEL) as threads:
        began = time.perf_counter()
        list(threads.map(one, range(PARALLEL)))
        took = time.perf_counter() - began
    node.purge()
    node.wait_until_idle(60)
    return {"rate": PARALLEL / took}
