"""Origins: their grammar, their one normal form, and whom they admit."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import InvalidValue
from wherry.spec.origin import ORIGIN, Origin, parse_origin


@pytest.mark.parametrize(
    ("text", "origin", "normal"),
    [
        ("https://api.example.com", Origin("https", "api.example.com", 443), "https://api.example.com"),
        ("http://backend", Origin("http", "backend", 80), "http://backend"),
        ("HTTP://Backend:80", Origin("http", "backend", 80), "http://backend"),
        ("https://b.example:80", Origin("https", "b.example", 80), "https://b.example:80"),
        ("https://*.B.example:443", Origin("https", "b.example", 443, wildcard=True), "https://*.b.example"),
        ("http://10.0.0.1:8080", Origin("http", "10.0.0.1", 8080), "http://10.0.0.1:8080"),
        ("http://[2001:DB8:0:0::1]", Origin("http", "[2001:db8::1]", 80), "http://[2001:db8::1]"),
        ("http://[::]:81", Origin("http", "[::]", 81), "http://[::]:81"),
    ],
)
def test_an_origin_has_one_normal_form(text: str, origin: Origin, normal: str) -> None:
    assert parse_origin(text) == origin
    assert str(origin) == normal


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("https://api.example.com/", "try https://api.example.com"),
        ("https://api.example.com/v1?x#y", "try https://api.example.com"),
        ("api.example.com", "try https://api.example.com"),
        ("api.example.com:8443/x", "try https://api.example.com:8443"),
        ("https://*.com", ""),
        ("ftp://a.example", ""),
    ],
)
def test_what_is_no_origin_is_refused_with_the_likely_one(text: str, cure: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_origin(text)
    assert caught.value.cure == cure


@pytest.mark.parametrize(
    ("granted", "scheme", "host", "port", "admitted"),
    [
        pytest.param("https://a.example", "https", "a.example", 443, True, id="itself"),
        pytest.param("https://a.example", "https", "A.Example", 443, True, id="itself in capitals"),
        pytest.param("https://a.example", "http", "a.example", 443, False, id="another scheme"),
        pytest.param("https://a.example", "https", "a.example", 8443, False, id="another port"),
        pytest.param("https://a.example", "https", "b.a.example", 443, False, id="a name below"),
        pytest.param("https://a.example", "https", "a.example.", 443, False, id="a dot at the end"),
        pytest.param("https://*.b.example", "https", "a.b.example", 443, True, id="one label"),
        pytest.param("https://*.b.example", "https", "x.a.b.example", 443, True, id="two labels"),
        pytest.param("https://*.b.example", "https", "b.example", 443, False, id="no label"),
        pytest.param("https://*.b.example", "https", "ab.example", 443, False, id="a name that ends alike"),
        pytest.param("https://*.b.example", "https", ".b.example", 443, False, id="an empty label"),
        pytest.param("https://*.b.example", "https", "..b.example", 443, False, id="empty labels"),
        pytest.param("https://*.b.example", "https", "a..b.example", 443, False, id="an empty label between"),
        pytest.param("https://*.b.example", "https", "a.b.example.evil.example", 443, False, id="another end"),
        pytest.param("http://[::1]", "http", "[0:0::1]", 80, True, id="another way to write an address"),
        pytest.param("http://[::1]", "http", "[::2]", 80, False, id="another address"),
        pytest.param("http://[::1]", "http", "[::1::]", 80, False, id="no address in brackets"),
        pytest.param("http://127.0.0.1", "http", "127.1", 80, False, id="a short address"),
    ],
)
def test_whom_an_origin_admits(granted: str, scheme: str, host: str, port: int, admitted: bool) -> None:
    assert parse_origin(granted).admits(scheme, host, port) is admitted


ORIGINS = st.from_regex(re.compile(ORIGIN, re.ASCII), fullmatch=True).filter(lambda text: len(text) < 200)


@given(ORIGINS)
def test_the_normal_form_is_an_origin_and_stays_as_it_is(text: str) -> None:
    origin = parse_origin(text)
    assert parse_origin(str(origin)) == origin
    assert re.fullmatch(ORIGIN, str(origin), re.ASCII)


@given(ORIGINS)
def test_an_origin_admits_itself_or_what_is_below_it(text: str) -> None:
    origin = parse_origin(text)
    assert origin.admits(origin.scheme, origin.host, origin.port) is not origin.wildcard
    assert origin.admits(origin.scheme, f"a.b.{origin.host}", origin.port) is origin.wildcard


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_every_address_is_a_host_in_each_of_its_forms(address: IPv6Address) -> None:
    for text in (str(address), address.exploded, address.compressed.upper()):
        if "." not in text:
            assert parse_origin(f"http://[{text}]").host == f"[{address}]"


@given(st.text("0123456789abcdef:", max_size=40))
def test_only_addresses_are_in_brackets(text: str) -> None:
    try:
        expected = f"[{IPv6Address(text)}]"
    except ValueError:
        expected = ""
    try:
        found = parse_origin(f"http://[{text}]").host
    except InvalidValue:
        found = ""
    assert found == expected


@given(st.text())
def test_a_text_is_an_origin_or_an_invalid_value(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://*.{text}"):
        with suppress(InvalidValue):
            assert parse_origin(candidate).port
