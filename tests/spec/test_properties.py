"""What holds for every document, not only for those of the tables."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spec.apps import RIGHT, Row, document
from tests.spec.strategies import APPS, PLAIN, SLIPS
from wherry.errors import InvalidApp
from wherry.spec.model import Spec, WasmApp
from wherry.spec.parse import parse, read
from wherry.spec.record import Record


def _written(app: WasmApp) -> dict[str, Any]:
    written: Any = Record(Spec).write(app.spec)
    return document(written)


def _read(app: object) -> WasmApp | None:
    with suppress(InvalidApp):
        return read(app, "app")
    return None


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.reason)
def test_an_app_of_the_tables_is_written_as_it_was_read(row: Row) -> None:
    app = read(document(row.spec), "app")
    assert read(_written(app), "app") == app


@given(APPS)
def test_an_app_is_written_as_it_was_read(drawn: Any) -> None:
    if app := _read(drawn):
        assert read(_written(app), "app") == app


@given(APPS)
def test_a_text_and_its_data_are_the_same_app(drawn: Any) -> None:
    app = _read(drawn)
    with suppress(InvalidApp):
        assert parse(json.dumps(drawn), "app") == (app,)
        return
    assert app is None


@given(SLIPS)
def test_a_slip_is_read_or_told_with_its_path(drawn: Any) -> None:
    try:
        app = read(drawn, "app")
    except InvalidApp as error:
        assert {field.path.partition(".")[0] for field in error.fields} == {"spec"}  # noqa: PT017  either may be
    else:
        assert read(_written(app), "app") == app


@given(PLAIN)
def test_any_data_is_an_app_or_invalid(data: object) -> None:
    for drawn in (data, {"kind": "WasmApp", "spec": data}, document({"env": data}), document({"containers": [data]})):
        with suppress(InvalidApp):
            read(drawn, "app")


@given(st.text() | st.text("{}[]:,-?&*!|>'\"%@#~<=ab01 \n\t"))
def test_any_text_is_apps_or_invalid(text: str) -> None:
    with pytest.raises(InvalidApp):
        parse(text, "app")
