"""Settings come from the environment, each with one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.errors import InputError
from wherry_operator.reference import page
from wherry_operator.settings import Settings, load


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load({"HOME": "/root"}) == Settings()


def test_each_variable_is_read() -> None:
    found = load(
        {"WHERRY_NAMESPACES": "a, b", "WHERRY_WORKERS": "3", "WHERRY_WATCH_SECRETS": "False", "WHERRY_POLICY": "/p"}
    )
    assert (found.namespaces, found.workers, found.watch_secrets, found.policy) == (("a", "b"), 3, False, Path("/p"))


def test_every_wrong_variable_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        load({"WHERRY_WORKERS": "many", "WHERRY_LOG_FORMAT": "xml", "WHERRY_PORT": "70000"})
    assert caught.value.message.splitlines() == [
        "WHERRY_WORKERS: got 'many', expected a number from 1 to 1000",
        "WHERRY_PORT: got '70000', expected a port",
        "WHERRY_LOG_FORMAT: got 'xml', expected text or json",
    ]


def test_the_reference_is_what_the_fields_say() -> None:
    assert (Path(__file__).parents[2] / "docs" / "operator-settings.md").read_text() == page()
