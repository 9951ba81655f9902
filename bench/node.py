"""Pods of Wasm against pods of containers, on the same containerd, taken in turns.

WHERRY_BENCH_SIDES names both sides, ours first: `wherry,runc` unless told otherwise; `runc,runc-again` compares runc
with itself, which shows what the method is worth. WHERRY_BENCH_CONTAINERD: versions, else `1.7,2.3`; the quick
form takes 2.3 alone.
Root and state of containerd lie in memory, so that no disk is measured.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench import pod_memory
from bench.measure import Round, Row, alone, compared, interleaved
from bench.pod_load import through_a_pod
from bench.pods import bench_node, container, cpu_seconds, http_seen, line_seen, started
from tests.support.containerd import Containerd
from tests.support.workloads import Side, side

TITLE = "a pod against a pod of runc, by CRI"
LIVES = 5
"""Pods whose CPU time is taken together: one alone is less than what a shim's own end may be late."""
PARALLEL = 20
MEASURES = ("sandbox", "first line", "first HTTP 200", "stop and remove", "CPU of a pod's life")
"""Of one pod's life, in milliseconds; `sandbox` is the first call's part of `first line`."""


@dataclass(frozen=True)
class Size:
    """How much of everything is measured."""

    rounds: int
    bursts: int
    small: tuple[int, ...]
    large: tuple[int, ...]
    memory_rounds: int
    seconds: float


FULL = Size(9, 5, (1, 10, 50), (200, 500), 1, 3.0)
QUICK = Size(3, 1, (1, 10), (), 1, 1.0)


def measure(quick: bool) -> list[Row]:
    names = os.environ.get("WHERRY_BENCH_SIDES", "wherry,runc").split(",")
    versions = os.environ.get("WHERRY_BENCH_CONTAINERD", "2.3" if quick else "1.7,2.3").split(",")
    sides = [side(name) for name in names]
    rows: list[Row] = []
    for version in versions:
        with bench_node(version, sides) as node:
            rows += rows_of(node, sides[0], sides[1], QUICK if quick else FULL)
    return rows


def rows_of(node: Containerd, ours: Side, theirs: Side, size: Size) -> list[Row]:
    both = (ours, theirs)
    rows = lives(node, both, size.rounds)
    rows += bursts(node, both, size.bursts)
    rows += memories(node, both, size)
    return [*rows, *through_a_pod(node, both, size.seconds, size.bursts)]


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


def memories(node: Containerd, both: tuple[Side, Side], size: Size) -> list[Row]:
    """What each idle pod adds, of both kinds, and what is there before the first pod. The large counts once.

    A host that waits for the next pod is what the pods add as well: the zygote's are told not to wait for long.
    """
    node.start_zygote(WHERRY_LINGER="5")
    node.wait_until_clean(120)
    rows = [alone(f"{node.version}: before the first pod", "MiB", [pod_memory.pss(node) / 1024])]
    for kind, loads in (("command", [each.hold for each in both]), ("http", [each.http for each in both])):
        for counts, rounds in ((size.small, size.memory_rounds), (size.large, 1)):
            measured = [partial(pod_memory.idle, node, *each, counts) for each in zip(both, loads, strict=True)]
            ours, theirs = interleaved(measured, rounds if counts else 0)
            for name in ours[0] if ours else ():
                values = ([each[name] for each in taken] for taken in (ours, theirs))
                rows.append(compared(f"{node.version}: {kind}, {name}", "MiB", both[1].name, *values))
    return rows
