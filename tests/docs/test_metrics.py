"""docs/metrics.md tells of every metric as the code does, and of nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT
from tests.docs.blocks import blocks
from tests.support.exporters import OF_APPS, Declared, in_a_cluster, of_agent, of_run
from tests.support.promql import faults

PAGE = ROOT / "docs" / "metrics.md"
ANY = {"node", "version", "verb", "resource", "code"}
"""Labels whose values only a cluster knows."""
UNITS = {"byte_seconds": "byte-seconds", "seconds": "seconds", "bytes": "bytes"}
"""By the end of a name."""
QUESTIONS = [
    line for block in blocks(PAGE) if block.language == "text" and not block.mark for line in block.text.splitlines()
]


def rows(columns: int) -> Iterator[list[str]]:
    """Of tables with so many columns, without their heads."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == columns:
            yield cells


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def unit(name: str) -> str:
    bare = name.removesuffix("_total")
    return next((shown for end, shown in UNITS.items() if bare.endswith(f"_{end}")), "")


def row(metric: Declared) -> list[str]:
    """As the page has to show it."""
    shown = [label for label in metric.labels if label not in OF_APPS]
    labels = ", ".join(f"`{label}`" for label in shown)
    return [f"`{metric.name}`", metric.kind, labels, unit(metric.name), metric.sentence]


def test_every_metric_is_on_the_page_as_it_is_declared_and_no_other() -> None:
    written = {cells[0]: cells for cells in rows(columns=5)}
    assert written == {f"`{metric.name}`": row(metric) for metric in in_a_cluster().values()}


def test_a_run_on_this_machine_has_the_apps_metrics_without_the_clusters_labels() -> None:
    here = {name: {*metric.labels} for name, metric in of_run().items()}
    there = {name: {*metric.labels} for name, metric in of_agent().items() if not name.startswith("wherry_node_")}
    assert there == {name: labels | OF_APPS for name, labels in here.items()}


def test_the_values_of_labels_are_those_that_a_first_scrape_shows() -> None:
    written = {
        (names(label)[0], names(of)[0]): frozenset(names(values))
        for label, of, values in rows(columns=3)
        if of.startswith("`wherry_")
    }
    declared = {
        (label, metric.name): values
        for metric in in_a_cluster().values()
        for label, values in metric.labels.items()
        if label not in OF_APPS | ANY
    }
    assert written == declared


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_that_the_page_shows_can_be_asked(question: str) -> None:
    assert list(faults(question, in_a_cluster())) == []


def test_the_page_shows_questions() -> None:
    assert len(QUESTIONS) == PAGE.read_text().count("sum by (")
