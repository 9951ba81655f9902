"""Questions to Prometheus, parsed, and what is wrong with them for metrics that are declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import promql_parser
from promql_parser import AggregateExpr, Expr, MatrixSelector, VectorSelector

from tests.support.exporters import OF_SHAPE, Declared

WINDOWS = {"$__rate_interval": "5m", "$__range": "1h"}
"""What Grafana fills in."""
PARTS = re.compile(r"_(bucket|sum|count)$")


@dataclass
class Question:
    """selectors: what is asked, and whether over a time. kept: labels of the answers."""

    selectors: list[tuple[VectorSelector, bool]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    _over_time: bool = False

    def see(self, node: Expr) -> None:
        """A part of it, before what is inside."""
        if isinstance(node, AggregateExpr) and node.modifier:
            self.kept |= set(node.modifier.labels)
        elif isinstance(node, VectorSelector):
            self.selectors.append((node, self._over_time))
        self._over_time = isinstance(node, MatrixSelector)


def parsed(text: str) -> Question:
    """Raises ValueError for what Prometheus would not take."""
    for window, length in WINDOWS.items():
        text = text.replace(window, length)
    question = Question()
    promql_parser.walk(promql_parser.parse(text), question.see)
    return question


def faults(text: str, known: Mapping[str, Declared]) -> Iterator[str]:
    """Names and labels that nobody declares, and a rate of what is no counter."""
    question = parsed(text)
    labels: set[str] = set()
    for selector, over_time in question.selectors:
        name = selector.name or ""
        if not (metric := _metric(name, known)):
            yield f"{name} is not declared"
            continue
        own = {*metric.labels, *(OF_SHAPE if name.endswith("_bucket") else ())}
        labels |= own
        yield from (f"{name} has no {each.name}" for each in selector.matchers.matchers if each.name not in own)
        if over_time == (metric.kind == "gauge"):
            yield f"{'a rate' if over_time else 'the value'} of the {metric.kind} {name}"
    yield from (f"no answer has {each}" for each in sorted(question.kept - labels))
    if not question.selectors:
        yield "nothing is asked"


def _metric(name: str, known: Mapping[str, Declared]) -> Declared | None:
    """A histogram is asked by its parts alone, everything else by its name."""
    whole = known.get(PARTS.sub("", name))
    if whole and whole.kind == "histogram":
        return whole if PARTS.search(name) else None
    return known.get(name)
