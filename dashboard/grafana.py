"""The JSON of a Grafana dashboard (schema 39): rows of panels, laid out from left to right. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 24, 8
"""Of the grid, and of a panel in it."""
LETTERS = "ABCDEFGH"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """legend: of each answer, with labels in double braces; in a table the title of the column."""

    question: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """says: what it is for. unit: by Grafana's name. wide: of 24."""

    title: str
    says: str
    unit: str
    asks: tuple[Ask, ...]
    wide: int = 8
    stacked: bool = False
    table: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of the page: the values of a label."""

    name: str
    question: str


def dashboard(title: str, uid: str, rows: Sequence[Row], variables: Sequence[Variable]) -> Json:
    """uid: its place in Grafana's addresses, which stays."""
    return {
        "title": title,
        "uid": uid,
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "tags": ["wherry"],
        "templating": {"list": [_source(), *map(_variable, variables)]},
        "panels": list(_laid_out(rows)),
    }


def _source() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _variable(variable: Variable) -> Json:
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": variable.question, "refId": variable.name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _laid_out(rows: Sequence[Row]) -> Iterator[Json]:
    ids, top = count(1), 0
    for row in rows:
        yield {"type": "row", "title": row.title, "collapsed": False, **_placed(next(ids), 0, top, WIDTH, 1)}
        left, top = 0, top + 1
        for panel in row.panels:
            if left + panel.wide > WIDTH:
                left, top = 0, top + HEIGHT
            yield {**_panel(panel), **_placed(next(ids), left, top, panel.wide, HEIGHT)}
            left += panel.wide
        top += HEIGHT


def _placed(id_: int, left: int, top: int, wide: int, high: int) -> Json:
    return {"id": id_, "gridPos": {"x": left, "y": top, "w": wide, "h": high}}


def _panel(panel: Panel) -> Json:
    kind = _table(panel) if panel.table else _lines(panel)
    return {"title": panel.title, "description": panel.says, "datasource": SOURCE, **kind}


def _lines(panel: Panel) -> Json:
    drawn = {"fillOpacity": 20 if panel.stacked else 0, "stacking": {"mode": "normal" if panel.stacked else "none"}}
    return {
        "type": "timeseries",
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": drawn}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {"refId": letter, "expr": ask.question, "legendFormat": ask.legend}
            for letter, ask in zip(LETTERS, panel.asks, strict=False)
        ],
    }


def _table(panel: Panel) -> Json:
    """A line for each app, a column for each question."""
    names = {f"Value #{letter}": ask.legend for letter, ask in zip(LETTERS, panel.asks, strict=False)}
    organize = {"excludeByName": {"Time": True}, "renameByName": names}
    return {
        "type": "table",
        "fieldConfig": {"defaults": {"unit": panel.unit, "decimals": 2}, "overrides": []},
        "transformations": [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}],
        "targets": [
            {"refId": letter, "expr": ask.question, "instant": True, "format": "table"}
            for letter, ask in zip(LETTERS, panel.asks, strict=False)
        ],
    }
