"""The registries file: every field, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.errors import InputError
from wherry.oci.registries import Entry, dump, load, parse
from wherry.oci.transport.endpoint import Endpoint, endpoint_of, tls_context


def test_every_field_is_read_from_yaml_and_from_json() -> None:
    yaml = (
        "ghcr.io: {endpoint: 'https://mirror:5000', caFile: /ca.pem, allowPrivate: true}\nplain:5000: {plainHTTP: true}"
    )
    assert parse(yaml, "f") == {
        "ghcr.io": Entry(endpoint="https://mirror:5000", ca_file=Path("/ca.pem"), allow_private=True),
        "plain:5000": Entry(plain_http=True),
    }
    assert parse('{"r": {"ca": "PEM"}}', "f") == {"r": Entry(ca="PEM")}
    assert parse("", "f") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "no YAML"),
        ("- a", "list"),
        ("1: {}", "the host 1"),
        ("ghcr.io/acme: {}", "ghcr.io/acme"),
        ("h: 1", "f: h: got int"),
        ("h: {plainHttp: true}", "plainHttp.*plainHTTP"),
        ("h: {plainHTTP: 'yes'}", "h.plainHTTP.*true or false"),
        ("h: {ca: a, caFile: b}", "both ca and caFile"),
        ("h: {endpoint: 'ftp://x'}", "h.endpoint"),
        ("h: {endpoint: 'https://x/path'}", "h.endpoint"),
        ("h: {endpoint: 'https://u:p@x'}", "h.endpoint"),
        ("h: {endpoint: 'http://x'}", "plainHTTP: true"),
        ("h: {endpoint: 'https://x', plainHTTP: true}", "one of the two"),
    ],
)
def test_a_mistake_names_its_field(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(text, "f")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="registries file"):
        load(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("host", "entry", "expected"),
    [
        ("ghcr.io", None, Endpoint("https", "ghcr.io")),
        ("docker.io", None, Endpoint("https", "registry-1.docker.io")),
        ("localhost:5000", None, Endpoint("", "localhost:5000")),
        ("127.0.0.9:5000", None, Endpoint("", "127.0.0.9:5000")),
        ("[::1]:5000", None, Endpoint("", "[::1]:5000")),
        ("localhost.example.com", None, Endpoint("https", "localhost.example.com")),
        ("10.0.0.1:5000", None, Endpoint("https", "10.0.0.1:5000")),
        ("localhost:5000", Entry(), Endpoint("https", "localhost:5000")),
        ("r", Entry(plain_http=True), Endpoint("http", "r")),
        ("r", Entry("m:1", allow_private=True), Endpoint("https", "m:1", allow_private=True)),
        ("r", Entry("http://m:1/", plain_http=True), Endpoint("http", "m:1")),
    ],
)
def test_an_endpoint_is_the_host_joined_with_its_entry(host: str, entry: Entry | None, expected: Endpoint) -> None:
    assert endpoint_of(host, entry) == expected


def test_a_ca_that_is_absent_or_no_certificate_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"r\.caFile"):
        endpoint_of("r", Entry(ca_file=tmp_path / "absent.pem"))
    with pytest.raises(InputError, match="no PEM certificate"):
        tls_context("not a certificate")


def test_a_dumped_file_says_the_same_with_its_ca_inline(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    found = {
        "a.example": Entry(endpoint="https://mirror.example.com", allow_private=True),
        "b.example": Entry(ca_file=tmp_path / "ca.pem"),
        "c.example": Entry(plain_http=True),
    }
    expected = found | {"b.example": Entry(ca="PEM")}
    assert parse(dump(found), "dumped") == expected


def test_a_ca_file_that_is_lost_is_told_when_it_is_to_be_dumped(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"caFile of a\.example .*No such file"):
        dump({"a.example": Entry(ca_file=tmp_path / "ca.pem")})
