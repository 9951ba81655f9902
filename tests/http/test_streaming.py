"""Bodies in motion: both ways, at the reader's pace, without growing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.http_server import Response, Server, Stream, eventually

GIB = 1 << 30
POST_CHUNKED = b"POST /drip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def resident(pid: int) -> int:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) * 1024


def test_the_first_chunk_is_seen_before_the_request_has_ended(server: Server) -> None:
    with server.connect() as client:
        client.sendall(POST_CHUNKED)
        stream = Stream(client)
        response = Response.head(stream)
        assert response.fields["transfer-encoding"] == "chunked"
        assert stream.chunk() == b"first\n"
        for line in (b"second\n", b"third\n"):
            client.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            assert stream.chunk() == line
        client.sendall(b"0\r\n\r\n")
        assert stream.chunk() == b""


def test_a_connection_lives_on_after_a_streamed_exchange(server: Server) -> None:
    with server.connect() as client:
        stream = Stream(client)
        for _ in range(3):
            client.sendall(POST_CHUNKED + b"4\r\nping\r\n0\r\n\r\n")
            response = Response.read(stream)
            assert response.body == b"first\nping"


def test_a_response_larger_than_a_pipe_arrives_whole(server: Server) -> None:
    response = server.get("/bytes/5000000")
    assert len(response.body) == 5_000_000


@pytest.mark.slow
def test_a_download_of_a_gibibyte_does_not_grow_memory(server: Server) -> None:
    server.get("/bytes/5000000")
    (worker,) = server.workers()
    before = resident(worker)
    with server.connect() as client:
        client.sendall(b"GET /bytes/%d HTTP/1.0\r\n\r\n" % GIB)
        assert _count(client) > GIB
    assert resident(worker) - before < 32 << 20


@pytest.mark.slow
def test_an_upload_of_a_gibibyte_does_not_grow_memory(server: Server) -> None:
    server.get("/count", method="POST", body=b"x" * 5_000_000)
    (worker,) = server.workers()
    before = resident(worker)
    piece = bytes(1 << 20)
    with server.connect() as client:
        client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % GIB)
        for _ in range(1024):
            client.sendall(piece)
        assert Response.read(Stream(client)).body == b"%d\n" % GIB
    assert resident(worker) - before < 32 << 20


def _count(client: socket.socket) -> int:
    buffer, total = bytearray(1 << 20), 0
    while count := client.recv_into(buffer):
        total += count
    return total


def test_a_client_that_does_not_read_makes_the_guest_wait(server: Server) -> None:
    sent = server.total()["bytes_out"]
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n" % GIB)
        Response.head(Stream(client))
        assert server.get("/elsewhere").status == 200
        assert server.total()["bytes_out"] - sent < GIB
        eventually(lambda: server.total()["in_flight"] == 1)


def test_a_guest_whose_client_has_gone_is_ended(server: Server) -> None:
    eventually(lambda: not server.total()["in_flight"])  # clients of other tests may have gone just now
    cut = server.total()["requests_cut"]
    client = server.connect()
    client.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n" % (1 << 40))
    Response.head(Stream(client))
    client.close()
    eventually(lambda: server.total()["requests_cut"] > cut and not server.total()["in_flight"])
