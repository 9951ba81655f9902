"""What a cluster may scrape of the operator: documented names, few labels, none that grows with the number of apps."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Metrics:
    """The process's own registry, so that tests can have several."""

    def __init__(self) -> None:
        into = self._registry = CollectorRegistry()
        self.passes = Counter(
            "wherry_operator_passes", "Passes over an app, by how they ended.", ["outcome"], registry=into
        )
        self.seconds = Histogram("wherry_operator_pass_seconds", "Duration of a pass.", buckets=SECONDS, registry=into)
        self.queue = Gauge("wherry_operator_queue", "Apps that wait for a pass.", registry=into)
        self.apps = Gauge("wherry_operator_apps", "WasmApps that are known.", registry=into)
        self.leader = Gauge("wherry_operator_leader", "1 in the replica that acts.", registry=into)
        self.supplied = Counter(
            "wherry_operator_artifacts",
            "Artifacts asked for, by where the answer was: status, registry, nowhere.",
            ["source"],
            registry=into,
        )
        self.requests = Counter(
            "wherry_operator_api_requests", "Requests to the API server.", ["verb", "resource", "code"], registry=into
        )

    def asked(self, verb: str, resource: str, code: int) -> None:
        """One answer of the API server; code 0 for none."""
        self.requests.labels(verb, resource, str(code)).inc()

    def page(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self._registry)
