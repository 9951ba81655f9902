"""One request and its response, for both kinds of guest."""

from __future__ import annotations

import re

from tests.support.http_server import Response, Server, Stream

DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")


def test_a_small_response_has_its_length_and_a_date_and_no_server_field(server: Server) -> None:
    response = server.get("/elsewhere")
    assert response.status == 200
    assert response.fields["content-length"] == str(len(response.body))
    assert DATE.fullmatch(response.fields["date"])
    assert "server" not in response.fields


def test_a_body_with_a_length_reaches_the_guest(server: Server) -> None:
    assert server.get("/count", method="POST", body=b"x" * 1000).body == b"1000\n"


def test_a_body_larger_than_memory_is_lent_reaches_the_guest(server: Server) -> None:
    assert server.get("/count", method="POST", body=b"x" * 3_000_000).body == b"3000000\n"


def test_a_chunked_body_reaches_the_guest(server: Server) -> None:
    answer = server.talk(
        b"POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    )
    assert answer.endswith(b"\r\n\r\n11\n")


def test_a_head_request_has_the_head_of_a_get_and_no_body(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"HEAD /elsewhere HTTP/1.1\r\nHost: a\r\n\r\nGET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
        stream = Stream(client)
        assert Response.read(stream, head_only=True).status == 200
        assert Response.read(stream).status == 200


def test_a_connection_serves_many_requests(server: Server) -> None:
    with server.connect() as client:
        stream = Stream(client)
        for count in range(5):
            client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (count, b"x" * count))
            assert Response.read(stream).body == b"%d\n" % count


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    with server.connect() as client:
        client.sendall(
            b"".join(
                b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (count, b"x" * count)
                for count in range(40)
            )
        )
        stream = Stream(client)
        assert [Response.read(stream).body for _ in range(40)] == [b"%d\n" % count for count in range(40)]


def test_a_pipeline_with_streamed_bodies_is_answered_in_order(server: Server) -> None:
    chunked = b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    sized = b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    with server.connect() as client:
        client.sendall((chunked + sized) * 3)
        stream = Stream(client)
        assert [Response.read(stream).body for _ in range(6)] == [b"3\n", b"200000\n"] * 3


def test_http_1_0_closes_after_the_response(server: Server) -> None:
    answer = server.talk(b"GET /bytes/200000 HTTP/1.0\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert b"transfer-encoding" not in head
    assert body.count(b"\0") == 200_000


def test_http_1_0_may_ask_to_keep_the_connection(server: Server) -> None:
    with server.connect() as client:
        stream = Stream(client)
        for _ in range(2):
            client.sendall(b"GET /elsewhere HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            response = Response.read(stream)
            assert response.fields["connection"] == "keep-alive"


def test_a_client_that_expects_continue_is_asked_for_its_body(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        stream = Stream(client)
        assert stream.line() == b"HTTP/1.1 100 Continue"
        assert stream.line() == b""
        client.sendall(b"body")
        assert Response.read(stream).body == b"4\n"


def test_the_request_id_is_the_clients_or_a_new_one(server: Server) -> None:
    assert server.get("/elsewhere", "X-Request-Id: mine-1").fields["x-request-id"] == "mine-1"
    first, second = (server.get("/elsewhere").fields["x-request-id"] for _ in range(2))
    assert first
    assert first != second


def test_a_request_id_that_could_break_a_log_is_replaced(server: Server) -> None:
    assert server.get("/elsewhere", "X-Request-Id: a b").fields["x-request-id"] != "a b"


def test_options_of_everything_is_served(server: Server) -> None:
    assert server.talk(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
