"""An app against a container of the same job, both on the kind cluster of `make deploy`, taken in turns.

The container runs under the RuntimeClass that BASELINE_RUNTIME_CLASS names, else under the cluster's default. It has
the Pod that the operator renders for the app, but for image, command and RuntimeClass: requests, probes, rights and
grace are the same. What runs is on the nodes and was started there before, except where a push is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.cluster import memory, nodes, pushing, rollout, start, together, traffic
from bench.cluster.rig import ready, rig
from bench.measure import Row

TITLE = "an app against a container on the same cluster"


@dataclass(frozen=True)
class Size:
    """How much of everything is measured: Pods, then rounds."""

    starts: int
    apps: int
    bursts: int
    pods: int
    memories: int
    replicas: int
    rollouts: int
    pushes: int
    loads: int
    seconds: float


FULL = Size(15, 50, 7, 100, 2, 50, 3, 5, 5, 5.0)
QUICK = Size(2, 5, 1, 10, 1, 5, 1, 1, 1, 1.0)


def measure(quick: bool) -> list[Row]:
    size = QUICK if quick else FULL
    with rig() as found:
        return [
            *start.rows(found, size.starts),
            *together.rows(found, size.apps, size.bursts),
            *rollout.rows(found, size.replicas, size.rollouts),
            *pushing.rows(found, size.pushes),
            *traffic.rows(found, size.loads, size.seconds),
            *memory.rows(found, size.pods, size.memories),
        ]


def versions() -> Mapping[str, str]:
    """Of what the cluster consists of."""
    return nodes.versions(ready())
