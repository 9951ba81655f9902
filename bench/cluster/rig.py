"""A cluster that is ready to be measured: what both sides run is on the nodes, a probe on each, and watches."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from bench.cluster import programs
from bench.cluster.probe import Probe
from bench.cluster.sides import Side, as_it_is, contained
from bench.cluster.watch import Watch, is_ready_on, named, pod_of
from examples.toolchain.run import tell
from tests.e2e.cluster import Cluster, Manifest
from tests.e2e.namespace import Namespace
from tests.e2e.programs import HELLO

APPS, PROBES = "wherry-bench", "wherry-bench-probes"
KINDS = "wasmapps,deployments,daemonsets,services"
WATCHED = (("api/v1", "pods"), ("api/v1", "services"), ("apis/apps/v1", "deployments"))
PORT = 8080
EVERY = 0.01
"""Seconds between two questions to a Service."""
SETTLE = 3.0
"""Seconds in which controllers and kubelets calm down after what was before."""


@dataclass(frozen=True)
class Rig:
    """sides: ours, then the container's. probes: by node. Nothing but what is measured runs in namespace."""

    namespace: Namespace
    sides: tuple[Side, Side]
    probes: dict[str, Probe]
    pods: Watch
    services: Watch
    deployments: Watch
    peer: str
    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def cluster(self) -> Cluster:
        return self.namespace.cluster

    @property
    def probe(self) -> Probe:
        """The one that asks Services."""
        return next(iter(self.probes.values()))

    def name(self) -> str:
        """Of an app that has not been before."""
        return f"app-{next(self.numbers)}"

    def address(self, app: str) -> str:
        """Of its Service."""
        seen = self.services.first(f"the address of {app}", named(app, lambda found: "clusterIP" in found["spec"]))
        return str(seen.object["spec"]["clusterIP"])

    def arm(self) -> None:
        """Probes ask each Pod that comes to their node."""
        for each in self.probes.values():
            each.arm(PORT)

    def disarm(self) -> None:
        for each in self.probes.values():
            each.disarm()

    def all_pods(self) -> list[Manifest]:
        return self.namespace.listed("pods", selector="")

    def clean(self) -> None:
        """Return when nothing of any app is left. Nobody waits for the grace that Pods have."""
        here = ("--namespace", self.namespace.name)
        self.cluster.kubectl("delete", KINDS, "--all", *here)
        self.namespace.eventually("nobody makes Pods", lambda: not self.namespace.listed("replicasets", selector=""))
        self.cluster.kubectl("delete", "pods", "--all", "--grace-period", "1", *here)
        self.namespace.eventually("all Pods are gone", lambda: not self.all_pods())
        time.sleep(SETTLE)


@contextmanager
def rig() -> Iterator[Rig]:
    """Raises SystemExit where there is no cluster with the chart."""
    cluster = ready()
    baseline = os.environ.get("BASELINE_RUNTIME_CLASS", "")
    with ExitStack() as stack:
        apps, asking = (stack.enter_context(namespace(cluster, name)) for name in (APPS, PROBES))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        image = programs.image(folder, f"{cluster.registry}/{APPS}/httpd:v1")
        ours = Side("wherry", apps.push(HELLO), as_it_is)
        theirs = Side("container", programs.push(image), partial(contained, runtime_class=baseline))
        probes = {node: stack.enter_context(closing(Probe(asking, node))) for node in cluster.workers()}
        pods, services, deployments = (stack.enter_context(closing(Watch(apps, *each))) for each in WATCHED)
        peer = baseline or "the default runtime"
        found = Rig(apps, (ours, theirs), probes, pods, services, deployments, peer, folder)
        for side in found.sides:
            warm(found, side)
        yield found


def ready() -> Cluster:
    cluster = Cluster(os.environ.get("WHERRY_KIND", "wherry"))
    try:
        nodes = cluster.workers()
    except (AssertionError, OSError) as fault:
        raise SystemExit(f"{fault}\nno cluster: `make deploy` makes one") from None
    if not nodes:
        raise SystemExit("no node of the cluster runs Wasm: `make deploy` installs the chart")
    return cluster


@contextmanager
def namespace(cluster: Cluster, name: str) -> Iterator[Namespace]:
    """A new one, gone at the end."""
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found")
    cluster.kubectl("create", "namespace", name)
    try:
        yield Namespace(cluster, name)
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def warm(found: Rig, side: Side) -> None:
    """Each node has pulled, compiled and started what the side runs."""
    tell(f"the first {side.name} on each node")
    name = found.name()
    found.namespace.apply(*side.app(name, scope="everyNode"))
    for node in found.probes:
        found.pods.first(f"{name} on {node}", pod_of(name, is_ready_on(node)))
    found.clean()
