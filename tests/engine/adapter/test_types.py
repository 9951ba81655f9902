"""wasi:http/types, group by group: what a guest sees of ours is what it sees of wasmtime's own."""

from pathlib import Path

import pytest

from tests.engine.adapter.conftest import Exchange
from tests.support.composed import Request, ask

HEADERS = ((b"x-test", b"caf\xe9"), (b"host", b"h"), (b"connection", b"close"), (b"x-test", b"2"))
TRAILERS = ((b"x-t", b"\xe9"), (b"x-u", b"2"))
CHUNKED = b"transfer-encoding: chunked\r\ntrailer: x-t\r\n"
GROUPS = ["/fields", "/request", "/body", "/trailers", "/response", "/options", "/client", "/poll", "/orphan"]


def over_http(path: str) -> bytes:
    head = b"".join(name + b": " + value + b"\r\n" for name, value in HEADERS)
    body = b"5\r\nhello\r\n0\r\nx-t: \xe9\r\nx-u: 2\r\n\r\n"
    return b"POST " + path.encode() + b" HTTP/1.1\r\n" + CHUNKED + head + b"\r\n" + body


def body_of(response: bytes) -> list[str]:
    """The lines of the one chunk of a response."""
    chunk = response.partition(b"\r\n\r\n")[2]
    size, _, rest = chunk.partition(b"\r\n")
    return rest[: int(size, 16)].decode("latin-1").splitlines()


@pytest.mark.parametrize("path", GROUPS)
def test_a_guest_sees_what_wasmtime_shows_it(types: Path, theirs: Exchange, path: str) -> None:
    request = Request(path, method="POST", headers=HEADERS, body=b"hello", trailers=TRAILERS)

    expected = body_of(theirs(over_http(path)))

    assert expected or path == "/orphan"
    # Fields of different names have no order that means anything; those of one name stay together.
    assert sorted(ask(types, request).lines) == sorted(expected)


@pytest.mark.parametrize("path", GROUPS[1:])
def test_the_order_is_the_same_too(types: Path, theirs: Exchange, path: str) -> None:
    request = Request(path, method="POST", headers=HEADERS, body=b"hello", trailers=TRAILERS)

    assert ask(types, request).lines == body_of(theirs(over_http(path)))


def test_values_of_one_name_stay_in_order(types: Path) -> None:
    lines = ask(types, Request("/fields")).lines

    assert lines.index("  x-name = a") + 1 == lines.index("  x-name = b")


def test_a_method_without_a_case_is_passed_on(types: Path) -> None:
    assert ask(types, Request("/request", method="BREW")).lines[:2] == ["method: 9", "BREW"]


def test_streamed_trailers_are_asked_for(types: Path) -> None:
    lines = ask(types, Request("/trailers", method="POST", body=b"hello", trailers=TRAILERS, mode="s")).lines

    assert lines[:6] == ["hello", "ready: 1", "failed: 0", "trailers: 1", "  x-t = é", "  x-u = 2"]


def test_no_trailers_are_none(types: Path) -> None:
    assert "trailers: 0" in ask(types, Request("/trailers", method="POST", body=b"hello")).lines


def test_a_denied_request_names_the_field(types: Path) -> None:
    answer = ask(types, Request("/denial"))

    assert answer.lines == ["failed: 1", "code: 15"]
    wanted = 'refused: add "https://host.test:81" to spec.capabilities.outboundHTTP'
    assert answer.log == f"outbound GET https://host.test:81 {wanted}\n"


def test_what_a_guest_prints_is_log(types: Path) -> None:
    answer = ask(types, Request("/log"))

    assert answer.log == "for the log\n"
    assert answer.body == b""
