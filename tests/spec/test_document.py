"""YAML within bounds; that kubectl reads the same scalars is shown in test_api_server."""

from __future__ import annotations

import pytest

from wherry.spec.document import MAX_TEXT, Malformed, load

BOMB = "\n".join(
    [
        "a: &a [x, x, x, x, x, x, x, x, x, x]",
        *(f"{n}: &{n} [{', '.join(['*' + m] * 10)}]" for m, n in zip("abcdefg", "bcdefgh", strict=True)),
    ]
)


def _refused(text: str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        load(text)
    return caught.value


def test_documents_are_plain_data() -> None:
    assert load("a: [1, {b: c}]\n---\n---\n- x\n...\n") == [{"a": [1, {"b": "c"}]}, ["x"]]


def test_json_is_yaml() -> None:
    text = '{"a": [1.5, null, true, "\\u00fc", "\\ud83c\\udf00", "\\/"]}'
    assert load(text) == [{"a": [1.5, None, True, "ü", "🌀", "/"]}]


def test_an_alias_stands_for_its_anchor() -> None:
    assert load("a: &x {b: 1}\nc: *x") == [{"a": {"b": 1}, "c": {"b": 1}}]


def test_merged_keys_yield_to_written_ones_and_the_first_mapping_wins() -> None:
    text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nmerged: {c: 3, <<: [*one, *two]}"
    assert load(text)[0]["merged"] == {"a": 1, "b": 1, "c": 3}  # type: ignore[index]


def test_anchors_are_forgotten_with_their_document() -> None:
    assert _refused("a: &x 1\n---\nb: *x").line == 3


@pytest.mark.parametrize(
    ("text", "line", "got"),
    [
        pytest.param("a: 1\nb:\n  c: 2\n  c: 3", 4, "the key c again", id="a key twice"),
        pytest.param('a: 1\n"a": 2', 2, "the key a again", id="a key twice in quotes"),
        pytest.param("a: 1\n\tb: 2", 2, "text that is no YAML (found character", id="a tab"),
        pytest.param("a: [1", 1, "text that is no YAML (expected ',' or ']'", id="an open list"),
        pytest.param("\n\na: *x", 3, "*x", id="an alias of nothing"),
        pytest.param("a: &x [*x]", 1, "*x", id="an alias of itself"),
        pytest.param(
            "a: !!python/object/apply:os.system [ls]", 1, "the tag tag:yaml.org,2002:python/object", id="an object"
        ),
        pytest.param("a: !!binary aGk=", 1, "the tag tag:yaml.org,2002:binary", id="bytes"),
        pytest.param("? [a]\n: b", 1, "a key that is no text", id="a list as key"),
        pytest.param("on: push", 1, "the key on", id="a key that YAML takes for a boolean"),
        pytest.param("0x10: a", 1, "the key 0x10", id="a key that YAML takes for another number"),
        pytest.param("~: a", 1, "the key ~", id="a key that YAML takes for nothing"),
        pytest.param("<<: 3", 1, "<< with something else", id="a merge of a number"),
        pytest.param("a: \x00", 1, "the character", id="a NUL"),
        pytest.param("a: \ud800", 1, "half a character", id="half a character"),
        pytest.param('a:\n  "\\ud800"', 2, "half a character", id="half a character, escaped"),
        pytest.param("[" * 100, 1, "more than 64 levels", id="a tower"),
        pytest.param("- " * 100, 1, "more than 64 levels", id="a staircase"),
        pytest.param(BOMB, 5, "more than 100000 values", id="a bomb"),
        pytest.param("- a\n" * 100_001, 100_000, "more than 100000 values", id="too many values"),
        pytest.param(" " * (MAX_TEXT + 1), 1, "1048577 characters", id="too many characters"),
    ],
)
def test_what_no_app_needs_is_refused_with_its_line(text: str, line: int, got: str) -> None:
    error = _refused(text)
    assert error.got.startswith(got)
    assert error.line == line


def test_a_message_is_short_however_long_the_text() -> None:
    for text in (f"a: !{'x' * 10_000} b", f"a: *{'x' * 10_000}", f"{'x' * 500}: 1\n{'x' * 500}: 2"):
        assert len(str(_refused(text))) < 200
