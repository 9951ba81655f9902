"""Memory that idle pods add to a node: proportional set sizes of all but containerd itself, and the kernel's part.

Counted are all processes below the node's cgroup or with its folder in their command line, so shims, pause and holder
processes, the zygote, hosts and workers. The base is the same count without any pod.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Round, Row, alone, compared
from bench.pods import http_seen, line_seen, nodes, started
from bench.servers import pss_of
from tests.support.containerd import Containerd
from tests.support.node_leftovers import process_name
from tests.support.pods import until
from tests.support.workloads import Side, Workload

TITLE = "memory of idle pods, against pods of runc"
FULL = (1, 10, 50, 200, 500)
QUICK = (1, 10)
KERNEL = ("Slab", "KernelStack", "PageTables", "Percpu")
"""Lines of /proc/meminfo that processes, namespaces, cgroups and mounts are paid from."""
SETTLE = 2.0
"""Seconds in which starts calm down and freed memory is given back. What plans starts ends a little later."""
PARALLEL = 4


def measure(quick: bool) -> list[Row]:
    return [row for node, both in nodes(quick) for row in rows_of(node, both, QUICK if quick else FULL)]


def rows_of(node: Containerd, both: tuple[Side, Side], counts: Sequence[int]) -> list[Row]:
    """What each idle pod adds, of both kinds, and what is there before the first pod.

    A host that waits for the next pod is what the pods add as well: the zygote's are told not to wait for long.
    """
    node.start_zygote(WHERRY_LINGER="5")
    node.wait_until_clean(120)
    rows = [alone(f"{node.version}: before the first pod", "MiB", [pss(node) / 1024])]
    for kind, loads in (("command", [each.hold for each in both]), ("http", [each.http for each in both])):
        ours, theirs = (idle(node, each, load, counts) for each, load in zip(both, loads, strict=True))
        for name in ours:
            rows.append(compared(f"{node.version}: {kind}, {name}", "MiB", both[1].name, [ours[name]], [theirs[name]]))
    return rows


def idle(node: Containerd, side: Side, load: Workload, counts: Sequence[int]) -> Round:
    """MiB that each pod adds at each count, and what of the kernel's; http pods have answered once. All are removed."""
    node.wait_until_clean(60)
    _settle(node)
    base, kernel = pss(node), kernel_kib()
    found = {}
    there = 0
    for count in counts:
        _add(node, side, load, count - there)
        there = count
        _settle(node)
        found[f"each of {count}"] = (pss(node) - base) / count / 1024
        found[f"each of {count}, in the kernel"] = (kernel_kib() - kernel) / count / 1024
    _remove(node)
    return found


def _settle(node: Containerd) -> None:
    time.sleep(SETTLE)
    until(lambda: "wherry-planner" not in map(process_name, node.traces.pids()), 60)


def pss(node: Containerd) -> int:
    """KiB of everything that is there because of pods, the zygote among it."""
    return sum(_pss(pid) for pid in node.traces.pids() - {node.pid})


def _pss(pid: int) -> int:
    """0 for one that has ended meanwhile."""
    try:
        return pss_of(pid)
    except OSError:
        return 0


def kernel_kib() -> int:
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return sum(int(size) for name, size, *_ in lines if name.rstrip(":") in KERNEL)


def _add(node: Containerd, side: Side, load: Workload, count: int) -> None:
    def one(_: int) -> None:
        pod, container = started(node, side, load)
        line_seen(container, load.line) if load is side.hold else http_seen(pod.ip)

    _all(one, range(count))


def _remove(node: Containerd) -> None:
    def one(pod: str) -> None:
        node.cri.stop_pod(pod)
        node.cri.remove_pod(pod)

    _all(one, [pod.id for pod in node.cri.pods()])


def _all(action: Callable[..., None], items: Sequence[object]) -> None:
    with ThreadPoolExecutor(PARALLEL) as threads:
        for _ in threads.map(action, items):
            pass
