"""A changed variable, applied to an app of many Pods: until all are new and ready, and none of the old is counted."""

from __future__ import annotations

import time
from functools import partial

from bench.cluster import nodes
from bench.cluster.rig import SETTLE, Rig
from bench.cluster.sides import Side
from bench.cluster.watch import is_rolled_out, named
from bench.measure import Round, Row, interleaved, of_each
from examples.toolchain.run import tell

UNITS = {"kubectl apply to all new and ready": "s", "CPU of all nodes": "CPU-s"}


def rows(found: Rig, replicas: int, rounds: int) -> list[Row]:
    tell(f"rollouts of {replicas}, {rounds} times")
    names = [placed(found, side, replicas) for side in found.sides]
    measured = [partial(change, found, *each, replicas) for each in zip(found.sides, names, strict=True)]
    taken = interleaved(measured, rounds)
    found.clean()
    return of_each(f"rollout of {replicas} Pods", UNITS, found.peer, *taken)


def placed(found: Rig, side: Side, replicas: int) -> str:
    name = found.name()
    found.namespace.apply(*side.app(name, replicas=replicas))
    found.deployments.first(f"{name} is ready", named(name, is_rolled_out))
    return name


def change(found: Rig, side: Side, name: str, replicas: int) -> Round:
    generation = found.deployments.last(name)["metadata"]["generation"]
    before, began = nodes.cpu_seconds(found.cluster), time.time()
    greeting = {"name": "GREETING", "value": f"hello {began}"}
    found.namespace.apply(*side.app(name, replicas=replicas, env=[greeting]))
    done = found.deployments.first(
        f"{name} is new",
        named(name, lambda each: each["metadata"]["generation"] > generation and is_rolled_out(each)),
    )
    used = nodes.cpu_seconds(found.cluster) - before
    found.namespace.eventually("the old are gone", lambda: len(found.all_pods()) == 2 * replicas)
    time.sleep(SETTLE)
    return dict(zip(UNITS, (done.at - began, used), strict=True))
