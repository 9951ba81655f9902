"""What a cluster may scrape of the operator: documented names, few labels, none that grows with the number of apps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from wherry_operator.supply.supplied import Source

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
Word = Literal["at rest", "on its way", "told", "gone", "lost", "failed", "broken"]
"""How a pass ends."""

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter, which nobody asks


class Metrics:
    """The process's own registry, so that tests can have several."""

    def __init__(self) -> None:
        into = self.registry = CollectorRegistry()
        self.passes = Counter(
            "wherry_operator_passes", "Passes over an app, by how they ended.", ["outcome"], registry=into
        )
        self.seconds = Histogram("wherry_operator_pass_seconds", "Duration of a pass.", buckets=SECONDS, registry=into)
        self._queue = Gauge("wherry_operator_queue", "Apps that wait for a pass.", registry=into)
        self.apps = Gauge("wherry_operator_apps", "WasmApps that are known.", registry=into)
        self._leader = Gauge("wherry_operator_leader", "1 in the replica that acts.", registry=into)
        self.supplied = Counter(
            "wherry_operator_artifacts", "Artifacts asked for, by where the answer was.", ["source"], registry=into
        )
        self.requests = Counter(
            "wherry_operator_api_requests", "Requests to the API server.", ["verb", "resource", "code"], registry=into
        )
        # From zero, so that a rate sees the first of them.
        for counter, values in ((self.passes, get_args(Word)), (self.supplied, get_args(Source))):
            for value in values:
                counter.labels(value)
        self.rests()

    def leads(self, waiting: Callable[[], int]) -> None:
        """This replica acts. waiting: asked at each scrape, because workers that hang would tell nothing."""
        self._leader.set(1)
        self._queue.set_function(waiting)

    def rests(self) -> None:
        """Another one does: what waits here waits for nothing."""
        self._leader.set(0)
        self._queue.set_function(lambda: 0)

    def asked(self, verb: str, resource: str, code: int) -> None:
        """One answer of the API server; code 0 for none."""
        self.requests.labels(verb, resource, str(code)).inc()

    def page(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
