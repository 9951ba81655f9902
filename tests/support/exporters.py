"""What the three pages for Prometheus declare, read from them as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from wherry.engine.admin import prometheus
from wherry.engine.metering import create
from wherry_agent.ledger import Meter
from wherry_agent.node_metrics import NodeState, node_page
from wherry_agent.pods import PodOfNode
from wherry_agent.progress import Progress
from wherry_operator.metrics import Metrics

OF_APPS = frozenset({"namespace", "pod", "container", "app"})
"""What the agent adds to what a run counts."""
OF_SHAPE = {"le"}
"""What a histogram's series have by being one."""


@dataclass(frozen=True)
class Declared:
    """kind: counter, gauge or histogram. labels: by name, with all values that were seen."""

    name: str
    kind: str
    sentence: str
    labels: dict[str, frozenset[str]]


def of_run() -> dict[str, Declared]:
    """`wherry run --admin`."""
    with closing(create(None, 1)) as counters:
        return _read(prometheus(counters.total()))


def of_agent() -> dict[str, Declared]:
    """The page of a node with one container."""
    state = NodeState(
        node="n1",
        installed="0.1",
        zygote=True,
        marked=True,
        pods=1,
        cache_files=1,
        cache_bytes=1,
        attempts=dict(Progress().attempts),
    )
    with closing(create(None, 1)) as counters:
        meter = Meter(PodOfNode("shop", "cart-1", "u1", "cart"), "app", counters.total())
    return _read(node_page(state, [meter]).decode())


def of_operator() -> dict[str, Declared]:
    """The page of an operator that has asked the API server once."""
    metrics = Metrics()
    metrics.asked("get", "pods", 200)
    return _read(metrics.page().decode())


def in_a_cluster() -> dict[str, Declared]:
    """All that is scraped there."""
    return of_agent() | of_operator()


def _read(page: str) -> dict[str, Declared]:
    return {each.name: each for each in _families(page)}


def _families(page: str) -> Iterator[Declared]:
    for family in text_string_to_metric_families(page):
        labels: dict[str, set[str]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
        name = f"{family.name}_total" if family.type == "counter" else family.name
        shown = {label: frozenset(values) for label, values in labels.items() if label not in OF_SHAPE}
        yield Declared(name, family.type, family.documentation, shown)
