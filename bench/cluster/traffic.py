"""Requests through a Service that leads to a Pod on each node, by a port of a node; the client is no Pod."""

from __future__ import annotations

from functools import partial

from bench.cluster import nodes
from bench.cluster.rig import Rig
from bench.cluster.sides import Side
from bench.cluster.watch import is_rolled_out, named
from bench.load import load
from bench.measure import Round, Row, interleaved, of_each
from examples.toolchain.run import tell

CONNECTIONS = 32
UNITS = {"requests": "req/s", "p99": "ms", "CPU of all nodes for a request": "µs"}


def rows(found: Rig, rounds: int, seconds: float) -> list[Row]:
    tell(f"requests through a Service, {rounds} times")
    measured = [partial(asked, found, placed(found, side), seconds) for side in found.sides]
    taken = interleaved(measured, rounds)
    found.clean()
    return of_each(f"{CONNECTIONS} connections to a Service", UNITS, found.peer, *taken)


def placed(found: Rig, side: Side) -> int:
    """The port on every node."""
    name = found.name()
    found.namespace.apply(*side.app(name, replicas=len(found.probes), service={"type": "NodePort"}))
    found.deployments.first(f"{name} is ready", named(name, is_rolled_out))
    (port,) = found.namespace.get("service", name)["spec"]["ports"]
    return int(port["nodePort"])


def asked(found: Rig, port: int, seconds: float) -> Round:
    before = nodes.cpu_seconds(found.cluster)
    said = load(port, seconds, CONNECTIONS, None, nodes.address(found.cluster, next(iter(found.probes))))
    used = nodes.cpu_seconds(found.cluster) - before
    return dict(zip(UNITS, (said["rate"], said["p99"], used / (said["rate"] * seconds) * 1e6), strict=True))
