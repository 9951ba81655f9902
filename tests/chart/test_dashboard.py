"""The dashboard asks for what is there, and reaches Grafana."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dashboard.__main__ import page
from dashboard.grafana import HEIGHT, WIDTH, Ask, Panel
from dashboard.rows import ROWS, VARIABLES
from tests.chart.helm import CHART, find, objects
from tests.support.exporters import in_a_cluster
from tests.support.promql import faults, parsed

FILE = CHART / "dashboards" / "wherry.json"
ASKS = [(panel, ask) for row in ROWS for panel in row.panels for ask in panel.asks]
CHOICE = re.compile(r"label_values\((?P<of>.+), (?P<label>\w+)\)")
BY_GRAFANA = {"__rate_interval", "__range"}


def named(value: Panel | Ask) -> str:
    return value.title if isinstance(value, Panel) else value.legend


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text())["panels"]
    return found


def test_the_file_is_what_the_source_says() -> None:
    assert FILE.read_text() == page(), "run: make docs"


@pytest.mark.parametrize(("panel", "ask"), ASKS, ids=named)
def test_a_panel_asks_for_metrics_and_labels_that_are_declared(panel: Panel, ask: Ask) -> None:
    assert list(faults(ask.question, in_a_cluster())) == []


@pytest.mark.parametrize(("panel", "ask"), ASKS, ids=named)
def test_a_legend_names_labels_that_the_answer_keeps(panel: Panel, ask: Ask) -> None:
    shown = set(re.findall(r"{{(\w+)}}", ask.legend))
    assert panel.table or shown == parsed(ask.question).kept - {"le"}


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("rate(wherry_request_total[5m])", "wherry_request_total is not declared"),
        ("rate(wherry_requests_total{clas='5xx'}[5m])", "wherry_requests_total has no clas"),
        ("sum by (nod) (wherry_node_pods)", "no answer has nod"),
        ("wherry_requests_total", "the value of the counter wherry_requests_total"),
        ("rate(wherry_node_pods[5m])", "a rate of the gauge wherry_node_pods"),
        ("rate(wherry_request_seconds[5m])", "wherry_request_seconds is not declared"),
        ("1 + 1", "nothing is asked"),
    ],
)
def test_a_question_about_something_else_is_found_out(question: str, fault: str) -> None:
    assert list(faults(question, in_a_cluster())) == [fault]


def test_what_a_person_chooses_from_are_labels_that_are_declared() -> None:
    for variable in VARIABLES:
        choice = CHOICE.fullmatch(variable.question)
        assert choice
        assert list(faults(f"sum by ({choice['label']}) (rate({choice['of']}[5m]))", in_a_cluster())) == []


def test_every_variable_of_a_question_is_one_of_the_page_or_of_grafana() -> None:
    used = {name for _, ask in ASKS for name in re.findall(r"\$(\w+)", ask.question)}
    assert used == {variable.name for variable in VARIABLES} | BY_GRAFANA


def test_no_panel_lies_over_another() -> None:
    seen: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels()):
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not seen & cells
        assert max(x for x, _ in cells) < WIDTH
        assert place["h"] in (1, HEIGHT)
        seen |= cells


def test_grafanas_sidecar_finds_the_dashboard_by_its_label() -> None:
    switched = ("--set", "dashboards.enabled=true", "--set", "dashboards.labels.team=platform")
    config = find(objects(*switched), "ConfigMap", "wherry-dashboards")
    assert config["metadata"]["labels"].items() >= {"grafana_dashboard": "1", "team": "platform"}.items()
    assert config["data"] == {"wherry.json": page()}
