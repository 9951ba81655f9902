"""One app, from `kubectl apply` to the first 200 through its Service, and where the time goes.

Before the sandbox and after the Pod's own first answer the time is Kubernetes' own, on both sides; between them it is
the runtime's.
"""

from __future__ import annotations

import time
from functools import partial
from itertools import pairwise

from bench.cluster import nodes
from bench.cluster.journal import start
from bench.cluster.rig import EVERY, PORT, Rig
from bench.cluster.sides import Side
from bench.cluster.watch import is_ready, pod_of
from bench.measure import Round, Row, interleaved, of_each
from examples.toolchain.run import tell

UNITS = {
    "kubectl apply to 200 through the Service": "ms",
    "… to the Pod's object": "ms",
    "… to its sandbox's start": "ms",
    "… sandbox's start to the Pod's first 200": "ms",
    "… to Ready in the API": "ms",
    "… to 200 through the Service": "ms",
    "the sandbox alone, by containerd": "ms",
    "the sandbox and its container, by containerd": "ms",
    "CPU of all nodes": "CPU-s",
}
"""Those that begin with an ellipsis follow one another, and are the first together."""


def rows(found: Rig, rounds: int) -> list[Row]:
    tell(f"one app, {rounds} times")
    measured = [partial(life, found, side) for side in found.sides]
    for first in measured:
        first()
    return of_each("1 app", UNITS, found.peer, *interleaved(measured, rounds))


def life(found: Rig, side: Side) -> Round:
    name, before = found.name(), nodes.cpu_seconds(found.cluster)
    found.arm()
    began = time.time()
    found.namespace.apply(*side.app(name))
    address = found.address(name)
    found.probe.ask(address, 80, EVERY)
    served = found.probe.answered(address, 80)
    used = nodes.cpu_seconds(found.cluster) - before
    found.disarm()
    parts = parts_of(found, name, began, served)
    found.clean()
    return dict(zip(UNITS, (*parts, used), strict=True))


def parts_of(found: Rig, app: str, began: float, served: float) -> list[float]:
    """Milliseconds, in the order of UNITS."""
    made = found.pods.first(f"a Pod of {app}", pod_of(app)).at
    ready = found.pods.first(f"{app} is ready", pod_of(app, is_ready))
    node, address = ready.object["spec"]["nodeName"], ready.object["status"]["podIP"]
    runtime = start(found.cluster, node, ready.object["metadata"]["uid"], began)
    answered = found.probes[node].answered(address, PORT)
    following = (began, made, runtime.asked, answered, ready.at, served)
    spans = [(began, served), *pairwise(following), (runtime.asked, runtime.made), (runtime.asked, runtime.running)]
    return [(end - begin) * 1e3 for begin, end in spans]
