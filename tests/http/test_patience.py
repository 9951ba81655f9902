"""Clients that are slow, silent or too large are let go; the plan's clock and the host's patience are short here."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.http.conftest import Start
from tests.support import guests
from tests.support.http_server import Response, Server, Settings, Stream, eventually, read_all, serving

PATIENCE = {"head": 1.0, "idle": 1.5, "body": 1.0, "write": 1.5, "linger": 1.0, "max_body": 100_000}


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = Settings(guests.command("stream"), tmp_path_factory.mktemp("short"), serving=PATIENCE)
    with serving(settings) as server:
        yield server


def test_a_head_that_does_not_come_is_a_408(short: Server) -> None:
    assert short.talk(b"GET / HT").startswith(b"HTTP/1.1 408 ")


def test_a_head_that_drips_is_a_408(short: Server) -> None:
    with short.connect() as client:
        client.settimeout(0.2)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        answer = b""
        while not answer:
            client.sendall(b"y")
            try:
                answer = client.recv(65536)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_in_silence(short: Server) -> None:
    with short.connect() as client:
        client.sendall(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
        assert Response.read(Stream(client)).status == 200
        assert client.recv(1) == b""


def test_a_connection_that_never_asks_is_closed(short: Server) -> None:
    with short.connect() as client:
        assert client.recv(1) == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 10", b"Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_a_408(short: Server, framing: bytes) -> None:
    answer = short.talk(b"POST /count HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n1")
    assert answer.startswith(b"HTTP/1.1 408 ")
    eventually(lambda: short.total()["in_flight"] == 0)


def test_a_body_that_says_it_is_too_large_is_a_413_before_it_is_read(short: Server) -> None:
    instances = short.total()["instances"]
    head = b"POST /count HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n"
    assert short.talk(head).startswith(b"HTTP/1.1 413 ")
    assert short.total()["instances"] == instances


def test_a_body_that_becomes_too_large_is_a_413(short: Server) -> None:
    chunk = b"8000\r\n" + bytes(0x8000) + b"\r\n"
    answer = short.talk(b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + 4 * chunk)
    assert answer.startswith(b"HTTP/1.1 413 ")
    eventually(lambda: short.total()["in_flight"] == 0)


def test_a_body_at_the_limit_is_taken(short: Server) -> None:
    assert short.get("/count", method="POST", body=bytes(100_000)).body == b"100000\n"


def test_a_client_that_never_reads_is_let_go(short: Server) -> None:
    cut = short.total()["requests_cut"]
    with short.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /bytes/1000000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: short.total()["requests_cut"] == cut + 1)
    eventually(lambda: short.total()["in_flight"] == 0)


def test_the_clock_of_the_plan_covers_a_response_that_takes_too_long(start: Start) -> None:
    server = start(guests.command("stream"), plan={"limits": {"timeout": 1.0}})
    with server.connect() as client:
        client.sendall(b"POST /drip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        stream = Stream(client)
        assert Response.head(stream).status == 200
        assert stream.chunk() == b"first\n"
        assert not stream.rest().endswith(b"0\r\n\r\n")
    server.wait_for("^limit/timeout: ")
    eventually(lambda: server.total()["in_flight"] == 0)


@pytest.mark.parametrize("way", ["sleep/60000", "spin/60000"])
def test_a_guest_ends_when_its_client_goes(start: Start, way: str) -> None:
    server = start(guests.command("stream"))
    client = server.connect()
    client.sendall(f"GET /{way} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    eventually(lambda: server.total()["in_flight"] == 1)
    client.close()
    eventually(lambda: server.total()["in_flight"] == 0)
    assert server.total()["requests_cut"] == 1


def test_a_refusal_reaches_a_client_that_is_still_sending(short: Server) -> None:
    with short.connect() as client:
        client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + bytes(500_000))
        assert read_all(client).startswith(b"HTTP/1.1 413 ")
