"""What breaks HTTP/1.1, or could be read in two ways, is refused by name and never reaches a guest."""

from __future__ import annotations

import re

import pytest

from tests.support.http_server import Server, Stream

HOST = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = b"Transfer-Encoding: chunked\r\n"

CASES = {
    "content-length and transfer-encoding": (400, POST + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n0\r\n\r\n"),
    "transfer-encoding and content-length": (400, POST + CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n"),
    "two equal content-lengths": (400, POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    "two different content-lengths": (400, POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "a list of content-lengths": (400, POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    "a signed content-length": (400, POST + b"Content-Length: +3\r\n\r\nabc"),
    "a content-length that overflows": (400, POST + b"Content-Length: 99999999999999999999\r\n\r\nabc"),
    "two transfer-encodings": (400, POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n"),
    "an unknown transfer-encoding": (501, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "gzip before chunked": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked before gzip": (400, POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "space before the colon": (400, POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    "transfer-encoding in http/1.0": (400, b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n"),
    "a folded line": (400, GET + b"X: a\r\n b\r\n\r\n"),
    "bare line feeds": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "one bare line feed": (400, b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    "a bare carriage return": (400, b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
    "a NUL in a value": (400, GET + b"X: a\0b\r\n\r\n"),
    "a control character in a value": (400, GET + b"X: a\x01b\r\n\r\n"),
    "a NUL in the target": (400, b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a name that is no token": (400, GET + b"X@(: 1\r\n\r\n"),
    "an empty name": (400, GET + b": 1\r\n\r\n"),
    "no colon": (400, GET + b"Xabc\r\n\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "an empty host": (400, b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    "two hosts": (400, GET + HOST + b"\r\n"),
    "a host with a space": (400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "a host with a slash": (400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "an absolute target": (400, b"GET http://a/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a fragment": (400, b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a space in the target": (400, b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n"),
    "raw utf-8 in the target": (400, "GET /é HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    "a star that is not for OPTIONS": (400, b"GET * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "an unknown method": (400, b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a method of another protocol": (501, b"SOURCE / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "CONNECT": (501, b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "http/0.9": (505, b"GET /\r\n\r\n"),
    "http/1.2": (400, b"GET / HTTP/1.2\r\n" + HOST + b"\r\n"),
    "http/2 as a version": (505, b"GET / HTTP/2.0\r\n" + HOST + b"\r\n"),
    "http/2 with prior knowledge": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "upgrade to h2c": (501, GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"),
    "upgrade to websocket": (501, GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    "upgrade without connection": (501, GET + b"Upgrade: websocket\r\n\r\n"),
    "grpc": (501, POST + b"Content-Type: application/grpc+proto\r\nContent-Length: 0\r\n\r\n"),
    "an unknown expectation": (417, POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\nx"),
    "a TLS hello": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "a head that is too large": (431, GET + b"X: " + b"y" * 40_000 + b"\r\n\r\n"),
    "too many fields": (431, GET + b"X: y\r\n" * 200 + b"\r\n"),
    "an endless value": (431, GET + b"X: " + b"y" * 200_000),
    "an endless target": (431, b"GET /" + b"y" * 200_000),
}

BROKEN_BODIES = {
    "a bare line feed after a chunk size": b"5\nhello\r\n0\r\n\r\n",
    "a chunk longer than its size": b"5\r\nhelloX\r\n0\r\n\r\n",
    "a chunk size that overflows": b"FFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
    "a chunk size that is no number": b"x\r\nhello\r\n0\r\n\r\n",
    "a content-length among the trailers": b"0\r\nContent-Length: 5\r\n\r\n",
    "a transfer-encoding among the trailers": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
}


def answers_in(data: bytes) -> int:
    return len(re.findall(rb"HTTP/1\.1 \d\d\d ", data))


@pytest.mark.parametrize(("status", "wire"), CASES.values(), ids=CASES.keys())
def test_it_is_refused_and_reaches_no_guest(cgi: Server, status: int, wire: bytes) -> None:
    instances = cgi.total()["instances"]
    answer = cgi.talk(wire)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nconnection: close\r\n" in answer
    assert answers_in(answer) == 1
    assert cgi.total()["instances"] == instances


@pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
def test_a_broken_chunked_body_is_refused(cgi: Server, body: bytes) -> None:
    answer = cgi.talk(POST + CHUNKED + b"\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answers_in(answer) == 1


def test_what_was_asked_before_a_malformed_request_is_answered_first(cgi: Server) -> None:
    answer = cgi.talk(GET + b"\r\n" + GET + b"X@: y\r\n\r\n")
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400"]


def test_nothing_is_read_after_connection_close(cgi: Server) -> None:
    instances = cgi.total()["instances"]
    answer = cgi.talk(GET + b"Connection: close\r\n\r\n" + GET + b"\r\n")
    assert answers_in(answer) == 1
    assert cgi.total()["instances"] == instances + 1


def test_the_answer_tells_nothing_of_the_inside(cgi: Server) -> None:
    answer = cgi.talk(b"GET / HTTP/1.1\r\n\r\n").decode()
    assert "server:" not in answer.lower()
    assert "python" not in answer.lower()
    assert "Traceback" not in answer


def test_a_large_head_that_comes_in_pieces_is_accepted_up_to_the_limit(cgi: Server) -> None:
    with cgi.connect() as client:
        client.sendall(GET)
        for i in range(28):
            client.sendall(b"X-%d: %s\r\n" % (i, b"y" * 1000))
        client.sendall(b"\r\n")
        assert Stream(client).line() == b"HTTP/1.1 200 OK"
