"""Memory that idle Pods add to a node, each after one answer: proportional set sizes of all its processes."""

from __future__ import annotations

import time
from functools import partial
from itertools import accumulate

from bench.cluster import nodes
from bench.cluster.rig import EVERY, PORT, Rig
from bench.cluster.sides import Side
from bench.cluster.watch import is_rolled_out, named
from bench.measure import Round, Row, alone, interleaved, of_each
from bench.pod_memory import kernel_kib
from examples.toolchain.run import tell

UNITS = {
    "processes of Pods": "MiB",
    "with what kubelet and containerd grow by": "MiB",
    "with the kernel's part": "MiB",
}

WAITING = ("wherry-host", "wherry-nursery")
"""Processes that outlast their Pods, for a while, and would count as there before."""
PATIENCE = 180.0
"""Seconds: twice as long as any of them waits."""
REST = 15.0
"""Seconds after the last answer: what only starts Pods has gone."""


def rows(found: Rig, pods: int, rounds: int) -> list[Row]:
    tell(f"memory of {pods} Pods on a node, {rounds} times")
    zygote = nodes.processes(found.cluster, next(iter(found.probes))).get("wherry-zygote", 0)
    taken = interleaved([partial(idle, found, side, pods) for side in found.sides], rounds)
    return [
        alone("the zygote of a node, without Pods", "MiB", [zygote / 1024]),
        *of_each(f"each of {pods} Pods on a node", UNITS, found.peer, *taken),
    ]


def idle(found: Rig, side: Side, count: int) -> Round:
    """MiB for each Pod. The kernel's is the whole machine's."""
    node, probe = next(iter(found.probes.items()))
    found.namespace.eventually("nothing waits for Pods", lambda: not waiting(found, node), PATIENCE)
    before = used(found, node)
    name = found.name()
    found.namespace.apply(*side.app(name, replicas=count, podTemplate={"spec": {"nodeName": node}}))
    found.deployments.first(f"{name} is ready", named(name, is_rolled_out))
    addresses = [each["status"]["podIP"] for each in found.all_pods()]
    for address in addresses:
        probe.ask(address, PORT, EVERY)
    for address in addresses:
        probe.answered(address, PORT)
    time.sleep(REST)
    after = used(found, node)
    found.clean()
    grown = [(there - base) / count for base, there in zip(before, after, strict=True)]
    return dict(zip(UNITS, accumulate(grown), strict=True))


def waiting(found: Rig, node: str) -> int:
    """KiB of them."""
    return sum(nodes.processes(found.cluster, node).get(name, 0) for name in WAITING)


def used(found: Rig, node: str) -> tuple[float, float, float]:
    """MiB of Pods' processes, of the node's daemons, and of the machine's kernel."""
    return *nodes.sizes(found.cluster, node), kernel_kib() / 1024
