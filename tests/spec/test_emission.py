"""YAML that is written is read as the same data: by us, by PyYAML and by kubectl."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.apiserver import ApiServer
from wherry.spec.document import load
from wherry.spec.emission import dump

TEXTS = (
    *("on", "y", "N", "yes", "null", "~", "", "true", "1", "1.0", "1e3", "0x1f", "0o17", "017", "1_000", ".5", ".inf"),
    *("12:30:45", "2026-01-31", "=", "<<", "-", "--", "---", "...", "- a", "a: b", "a #b", "#a", "'", '"', "\\", "%"),
    *(
        "@a",
        "`",
        "!a",
        "&a",
        "*a",
        "[a",
        "{a",
        "a,b",
        "|",
        ">",
        "?",
        ":",
        "a:",
        " a",
        "a ",
        "a\nb",
        "\t",
        "ü",
        "\u2028",
    ),
    *("10m", "128Mi", "--flag", "/app.wasm", "sha256:0", "a@b", '{"v":1}', "\U0001f6f6", "\x7f", "\x85", "\ufeff"),
)
WORDS = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    SCALARS | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=9
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_a_text_as_a_value_and_as_a_name(text: str) -> None:
    assert load(dump([{text: text, "in": [text]}])) == [{text: text, "in": [text]}]


@given(data=PLAIN)
def test_what_is_written_is_read_again(data: Any) -> None:
    documents = [{"data": data}, {"next": 1}]
    assert load(dump(documents)) == documents
    assert list(yaml.safe_load_all(dump(documents))) == documents


def test_what_is_there_twice_is_written_twice() -> None:
    shared = {"a": [1]}
    assert "&" not in dump([[shared, shared]])


def test_what_people_read_has_no_needless_quotes() -> None:
    texts = ["apps/v1", "app", "/app.wasm", "ghcr.io/acme/hello@sha256:0", "128Mi", "10m", "--output", "wherry.dev/app"]
    assert dump([texts]) == "".join(f"- {text}\n" for text in texts)


@pytest.mark.peer
def test_kubectl_reads_the_same(server: ApiServer) -> None:
    data = {f"k{name}": text for name, text in enumerate(TEXTS)}
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
    command = ("create", "--dry-run=client", "--validate=false", "--output=json", "--filename=-")
    result = server.kubectl(*command, stdin=dump([document]))
    assert json.loads(result.stdout)["data"] == data, result.stderr
