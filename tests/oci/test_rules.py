"""The rules of the way to a registry, as tables: addresses, redirects, token servers, retries."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import RegistryError
from wherry.oci.access import Access
from wherry.oci.pull import pull
from wherry.oci.transport.addresses import objection
from wherry.oci.transport.auth import may_ask
from wherry.oci.transport.endpoint import Endpoint
from wherry.oci.transport.faults import fault, retry_after
from wherry.oci.transport.names import resolved
from wherry.oci.transport.patience import Patience
from wherry.oci.transport.retry import persistently
from wherry.oci.transport.session import check_redirect, same_origin

PUBLIC, PRIVATE, LOOPBACK = "140.82.112.34", "10.1.2.3", "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "address", "trusted", "allow_private", "allowed"),
    [
        ("ghcr.io", PUBLIC, "ghcr.io", False, True),
        ("ghcr.io", PRIVATE, "ghcr.io", False, False),
        ("ghcr.io", PRIVATE, "ghcr.io", True, True),
        ("ghcr.io", "192.168.1.1", "ghcr.io", False, False),
        ("ghcr.io", "100.64.0.1", "ghcr.io", False, False),
        ("ghcr.io", "fd00::1", "ghcr.io", False, False),
        ("ghcr.io", LOOPBACK, "ghcr.io", False, False),
        ("localhost", LOOPBACK, "localhost", False, True),
        ("127.0.0.1", LOOPBACK, "127.0.0.1", False, True),
        ("::1", "::1", "::1", False, True),
        ("localhost", PRIVATE, "localhost", False, False),
        ("localhost", LOOPBACK, "ghcr.io", False, False),
        ("ghcr.io", "169.254.169.254", "ghcr.io", True, False),
        ("ghcr.io", "169.254.1.1", "ghcr.io", True, False),
        ("ghcr.io", "fd00:ec2::254", "ghcr.io", True, False),
        ("ghcr.io", "fe80::1", "ghcr.io", True, False),
        ("ghcr.io", "224.0.0.1", "ghcr.io", True, False),
        ("ghcr.io", "0.0.0.0", "ghcr.io", True, False),
        ("ghcr.io", "::ffff:169.254.169.254", "ghcr.io", True, False),
        ("ghcr.io", "::ffff:10.1.2.3", "ghcr.io", False, False),
        ("ghcr.io", "64:ff9b::a01:203", "ghcr.io", False, False),
        ("ghcr.io", "2002:a01:203::1", "ghcr.io", False, False),
        ("ghcr.io", "2606:50c0:8000::154", "ghcr.io", False, True),
    ],
)
def test_an_address_is_connected_to_where_the_rules_allow_it(
    host: str, address: str, trusted: str, allow_private: bool, allowed: bool
) -> None:
    found = objection(host, ipaddress.ip_address(address), trusted=trusted, allow_private=allow_private)
    assert (found == "") is allowed


@given(st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_no_link_local_address_is_ever_a_registry(address: ipaddress.IPv4Address) -> None:
    assert objection("r", address, trusted="r", allow_private=True)


@pytest.mark.parametrize(
    ("here", "there", "allowed"),
    [
        ("https://r/v2/x", "https://cdn.example.com/x?sig=1", True),
        ("https://r/v2/x", "https://r:443/y", True),
        ("https://r/v2/x", "http://r/x", False),
        ("http://r/v2/x", "http://r/x", True),
        ("http://r/v2/x", "http://r:81/x", False),
        ("http://r/v2/x", "https://cdn/x", True),
        ("https://r/v2/x", "https://user@cdn/x", False),
        ("https://r/v2/x", "ftp://cdn/x", False),
        ("https://r/v2/x", "file:///etc/passwd", False),
        ("https://r/v2/x", "https://cdn:99999/x", True),
    ],
)
def test_a_redirect_leaves_its_origin_by_https_alone(here: str, there: str, allowed: bool) -> None:
    if allowed and ":99999" not in there:
        check_redirect(here, there)
    else:
        with pytest.raises(RegistryError) as caught:
            check_redirect(here, there)
        assert caught.value.kind == "policy"


def test_a_redirect_that_is_refused_does_not_tell_the_query_which_is_a_credential() -> None:
    with pytest.raises(RegistryError) as caught:
        check_redirect("https://r/x", "http://cdn/x?signature=secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("netloc", "realm", "with_credential", "anonymous"),
    [
        ("ghcr.io", "https://ghcr.io/token", True, True),
        ("registry-1.docker.io", "https://auth.docker.io/token", True, True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True, True),
        ("registry.example.com:5000", "https://auth.example.com/token", True, True),
        ("localhost:5000", "https://localhost:5001/token", True, True),
        ("127.0.0.1:5000", "https://128.0.0.1/token", False, True),
        ("ghcr.io", "https://evil.io/token", False, True),
        ("ghcr.io", "https://ghcr.io.evil.com/token", False, True),
        ("ghcr.io", "http://ghcr.io/token", False, False),
        ("ghcr.io", "https://user@ghcr.io/token", False, False),
        ("ghcr.io", "", False, False),
        ("ghcr.io", "ghcr.io/token", False, False),
        ("ghcr.io", "https://[/token", False, False),
    ],
)
def test_a_token_server_sees_a_credential_only_within_the_registrys_domain(
    netloc: str, realm: str, with_credential: bool, anonymous: bool
) -> None:
    endpoint = Endpoint("https", netloc)
    assert may_ask(endpoint, realm, with_credential=True) is with_credential
    assert may_ask(endpoint, realm, with_credential=False) is anonymous


def test_an_origin_is_scheme_host_and_port() -> None:
    assert same_origin("https://R.io/a", "https://r.io:443/b")
    assert not same_origin("https://r.io", "https://r.io:444")
    assert not same_origin("https://r.io", "http://r.io")


@pytest.mark.parametrize(
    ("text", "expected"), [("7", 7.0), (" 7 ", 7.0), ("", None), ("soon", None), ("-1", None), (None, None)]
)
def test_retry_after_is_seconds_or_nothing(text: str | None, expected: float | None) -> None:
    assert retry_after(text) == expected


def test_retry_after_may_be_a_date() -> None:
    assert retry_after("Thu, 01 Jan 1970 00:00:00 GMT") == 0.0
    assert (retry_after("Fri, 31 Dec 2100 23:59:59 GMT") or 0) > 1e9


def attempts(error: RegistryError, patience: Patience, deadline: float = 60.0) -> int:
    """How often something that always fails is tried."""
    count = 0

    def attempt() -> None:
        nonlocal count
        count += 1
        raise error

    with pytest.raises(RegistryError) as caught:
        persistently(attempt, patience, time.monotonic() + deadline)
    assert caught.value is error
    return count


def test_only_what_may_help_is_tried_again_and_only_so_often() -> None:
    patience = Patience(attempts=2)
    assert attempts(fault("server", "x"), patience) == 2
    assert attempts(fault("notfound", "x"), patience) == 1
    assert attempts(fault("ratelimited", "x", retry_after=3600), patience) == 1
    assert attempts(fault("ratelimited", "x", retry_after=20), patience, deadline=10) == 1


def test_a_name_that_does_not_exist_is_unreachable_and_not_a_traceback(access: Access) -> None:
    with pytest.raises(RegistryError) as caught:
        pull("registry.invalid/acme/hello:v1", replace(access, patience=Patience(attempts=1)))
    assert caught.value.kind in {"unreachable", "timeout"}
    assert "registry.invalid" in caught.value.message


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait()][:0])
    with pytest.raises(TimeoutError):
        resolved("registry.example.com", 443, 0.01)
    over.set()


def test_a_loopback_literal_is_resolved_without_a_name_server() -> None:
    assert resolved("127.0.0.1", 80, 5) == (ipaddress.ip_address("127.0.0.1"),)
