"""The control protocol's texts, and responses as they go to the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.engine.http.control import parse_given, parse_head, parse_trailers, request_head, trailer_text
from wherry.engine.http.head import Fields, RequestHead, checked
from wherry.engine.http.reply import (
    BadResponse,
    Framing,
    ResponseHead,
    date_line,
    framing_of,
    response_head,
    trailer_lines,
    wire_head,
)

TOKEN = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1).map(str.encode)
VALUE = st.binary().map(lambda value: bytes(byte for byte in value if byte == 9 or 32 <= byte != 127))


def request(fields: Fields) -> RequestHead:
    return checked(b"GET", b"/", "1.1", [(b"host", b"h"), *fields], keep_alive=True, max_body=None)


def test_a_request_head_has_five_lines_and_then_fields() -> None:
    text = request_head(request([(b"a", b"1"), (b"connection", b"x")]), b"-", [], b"me:80")
    assert text == b"GET\n/\nhttp\nh\n-\nhost\nh\na\n1"


def test_known_trailers_follow_an_empty_line() -> None:
    assert request_head(request([]), b"b", [(b"t", b"\xe9")], b"").endswith(b"\nhost\nh\n\nt\n" + "é".encode())


def test_a_request_without_a_host_is_for_us() -> None:
    head = checked(b"GET", b"/", "1.0", [], keep_alive=False, max_body=None)
    assert request_head(head, b"-", [], b"me:80").split(b"\n")[3] == b"me:80"


@given(st.lists(st.tuples(TOKEN, VALUE)))
def test_trailers_come_back_as_they_went(fields: Fields) -> None:
    assert parse_trailers(trailer_text(fields)) == fields


def framed(text: bytes) -> bytes:
    return len(text).to_bytes(4, "little") + text


def test_a_response_head_is_found_before_its_body() -> None:
    parsed = parse_head(framed(b"201\na\n1\nB\n2") + b"body")
    assert parsed is not None
    head, start = parsed
    assert (head.status, head.fields, start) == (201, [(b"a", b"1"), (b"b", b"2")], 15)


@pytest.mark.parametrize("output", [b"", b"\5\0\0", framed(b"200\na\n1")[:-1], b"<!doctype html>", b"\5\0\0\0bson!"])
def test_what_is_no_head_yet_waits(output: bytes) -> None:
    assert parse_head(output) is None


@pytest.mark.parametrize("text", [b"0\ninternal-error", b"0", b"200\na", b"200\nx y\n1", b"200\na\n\0", b"199", b"abc"])
def test_a_head_that_is_not_fit_for_http_is_refused(text: bytes) -> None:
    with pytest.raises(BadResponse):
        parse_given(text)


@given(st.integers(200, 599), st.lists(st.tuples(TOKEN, VALUE)), st.binary())
def test_whatever_head_is_accepted_makes_one_message(status: int, fields: Fields, tail: bytes) -> None:
    try:
        head = response_head(b"%d" % status, fields)
    except BadResponse:
        return
    wire = wire_head(head, Framing.CHUNKED, None, date=b"date: x\r\n", extra=b"")
    assert wire.count(b"\r\n\r\n") == 1
    assert wire.endswith(b"\r\n\r\n")
    assert wire.count(b"\r\n") == len(head.fields) + 4 + (head.length is not None) - head.dated


@pytest.mark.parametrize(
    ("head", "method", "version", "body", "framing"),
    [
        (ResponseHead(200, []), b"GET", "1.1", 5, Framing.LENGTH),
        (ResponseHead(200, []), b"GET", "1.1", None, Framing.CHUNKED),
        (ResponseHead(200, []), b"GET", "1.0", None, Framing.CLOSE),
        (ResponseHead(200, [], length=3), b"GET", "1.0", None, Framing.LENGTH),
        (ResponseHead(200, [], length=3), b"HEAD", "1.1", None, Framing.NONE),
        (ResponseHead(204, []), b"GET", "1.1", None, Framing.NONE),
        (ResponseHead(304, [], length=9), b"GET", "1.1", 0, Framing.NONE),
    ],
)
def test_the_end_of_a_body_is_told(
    head: ResponseHead, method: bytes, version: str, body: int | None, framing: Framing
) -> None:
    assert framing_of(head, method, version, body) is framing


def test_a_204_has_no_length() -> None:
    assert b"content-length" not in wire_head(ResponseHead(204, []), Framing.NONE, 0, date=b"", extra=b"")


def test_a_304_keeps_the_length_that_it_would_have() -> None:
    assert b"content-length: 9" in wire_head(ResponseHead(304, [], length=9), Framing.NONE, None, date=b"", extra=b"")


def test_trailers_that_would_break_the_message_are_left_out() -> None:
    fields = [(b"good", b"1"), (b"bad name", b"1"), (b"split", b"1\r\nX: 2"), (b"connection", b"close")]
    assert trailer_lines(fields) == b"good: 1\r\n"


def test_a_date_is_an_http_date() -> None:
    assert date_line(784111777) == b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
