"""Who may be called and at which addresses: tables and a property, without a network."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.engine.egress.failure import Failure
from wherry.engine.egress.policy import admitted, asked_origin, grant_for, reach_of
from wherry.spec.origin import Origin, parse_origin

GRANTS = tuple(map(parse_origin, ("https://*.example.com", "https://api.example.com", "http://10.0.0.5:8080")))


def refusal(code: str, sentence: str) -> pytest.RaisesExc[Failure]:
    return pytest.RaisesExc(Failure, match=sentence, check=lambda failure: failure.code == code)


def test_a_host_written_in_full_is_granted_before_a_wildcard() -> None:
    assert not grant_for(asked_origin("https://api.example.com"), GRANTS).wildcard
    assert grant_for(asked_origin("https://www.example.com"), GRANTS).wildcard


@pytest.mark.parametrize(
    "asked", ["https://example.com", "http://api.example.com", "https://api.example.com:8443", "https://evil.example"]
)
def test_what_no_grant_admits_is_refused_with_the_line_to_add(asked: str) -> None:
    with refusal("HTTP-request-denied", f'add "{asked}" to spec.capabilities.outboundHTTP'):
        grant_for(asked_origin(asked), GRANTS)


@pytest.mark.parametrize(
    "asked",
    ["", "ftp://a.example", "https://a.example/path", "https://user@a.example", "https://*.example.com", "a.example"],
)
def test_what_is_no_origin_cannot_be_asked_for(asked: str) -> None:
    with refusal("HTTP-request-URI-invalid", "no origin"):
        asked_origin(asked)


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("93.184.216.34", "public"),
        ("2606:4700::1111", "public"),
        ("10.1.2.3", "private"),
        ("172.31.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd12::1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("64:ff9b::10.0.0.1", "private"),
        ("127.0.0.1", "special"),
        ("127.8.9.10", "special"),
        ("0.0.0.0", "special"),
        ("::1", "special"),
        ("::", "special"),
        ("::ffff:127.0.0.1", "special"),
        ("::127.0.0.1", "special"),
        ("64:ff9b::127.0.0.1", "special"),
        ("2002:7f00:1::", "special"),
        ("169.254.169.254", "special"),
        ("::ffff:169.254.169.254", "special"),
        ("fe80::1", "special"),
        ("fd00:ec2::254", "special"),
        ("100.100.100.200", "special"),
        ("168.63.129.16", "special"),
        ("224.0.0.1", "special"),
        ("ff02::1", "special"),
        ("255.255.255.255", "special"),
        ("240.0.0.1", "special"),
    ],
)
def test_an_address_reaches_as_far_as_what_it_carries(address: str, reach: str) -> None:
    assert reach_of(ipaddress.ip_address(address)) == reach


@pytest.mark.parametrize(
    ("grant", "address"),
    [
        ("https://*.example.com", "93.184.216.34"),
        ("https://api.example.com", "10.0.0.1"),
        ("http://10.0.0.5:8080", "10.0.0.5"),
        ("http://127.0.0.1:9000", "127.0.0.1"),
        ("http://[::1]:9000", "::1"),
        ("http://169.254.169.254", "169.254.169.254"),
        ("http://localhost:9000", "127.0.0.1"),
        ("http://localhost:9000", "::1"),
    ],
)
def test_an_address_is_admitted_where_the_grant_says_so(grant: str, address: str) -> None:
    assert admitted(parse_origin(grant), [address]) == (address,)


@pytest.mark.parametrize(
    ("grant", "address", "sentence"),
    [
        ("https://*.example.com", "10.0.0.1", "10.0.0.1 is private, which a wildcard does not admit"),
        ("https://*.example.com", "127.0.0.1", "loopback, link-local or special"),
        ("https://api.example.com", "127.0.0.1", "loopback, link-local or special"),
        ("https://api.example.com", "169.254.169.254", "loopback, link-local or special"),
        ("https://api.example.com", "::ffff:127.0.0.1", "loopback, link-local or special"),
        ("http://127.0.0.1:9000", "127.0.0.2", "loopback, link-local or special"),
        ("http://localhost:9000", "169.254.169.254", "loopback, link-local or special"),
    ],
)
def test_an_address_that_the_grant_does_not_mean_is_refused(grant: str, address: str, sentence: str) -> None:
    with refusal("destination-IP-prohibited", sentence):
        admitted(parse_origin(grant), [address])


def test_a_name_with_good_and_bad_addresses_keeps_the_good_ones_in_order() -> None:
    found = ["127.0.0.1", "93.184.216.34", "169.254.169.254", "2606:4700::1111"]
    assert admitted(parse_origin("https://api.example.com"), found) == ("93.184.216.34", "2606:4700::1111")


def test_a_name_without_addresses_is_refused() -> None:
    with refusal("destination-IP-prohibited", "no address"):
        admitted(parse_origin("https://api.example.com"), [])


@given(st.ip_addresses())
def test_a_wildcard_admits_public_addresses_and_no_others(address: ipaddress.IPv4Address) -> None:
    wildcard = Origin("https", "example.com", 443, wildcard=True)
    if reach_of(address) == "public":
        assert admitted(wildcard, [str(address)]) == (str(address),)
    else:
        with pytest.raises(Failure, match=r"private|special"):
            admitted(wildcard, [str(address)])
