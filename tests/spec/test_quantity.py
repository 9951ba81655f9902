"""Sizes and times, by table and for every text of their grammars."""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import InvalidValue
from wherry.spec.quantity import (
    DURATION,
    MAX_QUANTITY,
    QUANTITY,
    format_bytes,
    format_duration,
    parse_bytes,
    parse_duration,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0"),
        ("128Mi", "134217728"),
        ("1.5Gi", "1610612736"),
        (".5Ki", "512"),
        ("1.", "1"),
        ("250m", "0.25"),
        ("1n", "0.000000001"),
        ("3u", "0.000003"),
        ("2k", "2000"),
        ("2M", "2000000"),
        ("2G", "2000000000"),
        ("2T", "2000000000000"),
        ("2P", "2000000000000000"),
        ("2E", "2000000000000000000"),
        ("1Ti", "1099511627776"),
        ("1Pi", "1125899906842624"),
        ("1Ei", "1152921504606846976"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("12e-1", "1.2"),
        ("1E+2", "100"),
        ("0.1", "0.1"),
        ("9007199254740993", "9007199254740993"),
        ("9Ei", str(MAX_QUANTITY)),
        ("1e99", str(MAX_QUANTITY)),
    ],
)
def test_a_quantity_is_exact(text: str, amount: str) -> None:
    assert parse_quantity(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12MB", "try 12M"),
        ("12 Mi", "try 12Mi"),
        ("12K", "try 12k"),
        ("12mi", "try 12Mi"),
        ("12MiB", "try 12Mi"),
        ("12g", "try 12Gi"),
        ("", 'got "", expected a quantity such as'),
        ("-1", 'got "-1"'),
        ("1e100", 'got "1e100"'),
        ("١", "got"),
        ("1\n", "got"),
    ],
)
def test_what_is_no_quantity_is_refused_with_the_likely_one(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        parse_quantity(text)


@pytest.mark.parametrize(("text", "size"), [("0.5", 1), ("100m", 1), ("1.5Ki", 1536), ("1n", 1), ("0", 0)])
def test_a_part_of_a_byte_is_a_byte(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1.5h", 5400),
        (".5m", 30),
        ("1m1m", 120),
        ("1us", 1e-6),
        ("1µs", 1e-6),
        ("1μs", 1e-6),
        ("1ns", 1e-9),
        ("0.5ns", 0),
        ("0s", 0),
        ("0.1s", 0.1),
    ],
)
def test_a_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30", "try 30s"),
        ("2d", "try 48h"),
        ("", "expected a duration such as 30s"),
        ("-1s", "got"),
        ("1 s", "got"),
        ("1S", "got"),
        ("1s\n", "got"),
        ("s", "got"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_likely_one(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        parse_duration(text)


@given(st.integers(0, MAX_QUANTITY))
def test_bytes_come_back_as_they_were(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == size


@given(st.integers(0, 10**15).map(lambda nanoseconds: nanoseconds / 1e9))
def test_seconds_come_back_as_they_were(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.from_regex(re.compile(QUANTITY, re.ASCII), fullmatch=True))
def test_every_text_of_the_grammar_is_a_quantity_of_at_most_64_bits(text: str) -> None:
    assert 0 <= parse_quantity(text) <= MAX_QUANTITY


@given(st.from_regex(re.compile(DURATION, re.ASCII), fullmatch=True))
def test_every_text_of_the_grammar_is_a_duration(text: str) -> None:
    assert parse_duration(text) >= 0


@given(st.text() | st.text("0123456789.eEmkKMGiuns+- "))
def test_a_text_is_a_quantity_and_a_duration_or_an_invalid_value(text: str) -> None:
    for parse in (parse_quantity, parse_duration):
        with suppress(InvalidValue):
            assert parse(text) >= 0
