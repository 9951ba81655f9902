"""What only a wasi:http component can do or ask for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support import guests
from tests.support.http_server import Response, Server, Settings, Stream, eventually, serving


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    plan = {"limits": {"timeout": 20.0}}
    with serving(Settings(guests.http("stream"), tmp_path_factory.mktemp("component"), plan)) as server:
        yield server


def test_trailers_of_a_body_that_is_whole_go_both_ways(component: Server) -> None:
    assert _trailers(component, b"3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n") == (b"42", {"x-sum": "42"})


def test_trailers_of_a_body_that_streams_go_both_ways(component: Server) -> None:
    piece = b"%x\r\n%s\r\n" % (100_000, bytes(100_000))
    assert _trailers(component, 5 * piece + b"0\r\nX-Sum: 42\r\n\r\n") == (b"42", {"x-sum": "42"})


def _trailers(server: Server, body: bytes) -> tuple[bytes, dict[str, str]]:
    with server.connect() as client:
        client.sendall(b"POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        response = Response.read(Stream(client))
    return response.body, response.trailers


def test_trailers_that_come_late_are_waited_for(component: Server) -> None:
    with component.connect() as client:
        client.sendall(b"POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        eventually(lambda: component.total()["in_flight"] == 1)
        client.sendall(b"0\r\nX-Sum: late\r\n\r\n")
        assert Response.read(Stream(client)).body == b"late"


@pytest.mark.parametrize("value", ["plain", "é", "\x80\xff"])
def test_a_header_reaches_the_guest_byte_for_byte(component: Server, value: str) -> None:
    assert component.get("/header/x-mine", f"X-Mine: {value}").body == value.encode("latin-1") + b"\n"


def test_the_traceparent_and_the_request_id_reach_the_guest(component: Server) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert component.get("/header/traceparent", f"Traceparent: {trace}").body == trace.encode() + b"\n"
    given = component.get("/header/x-request-id")
    assert given.body == given.fields["x-request-id"].encode() + b"\n"


def test_hop_by_hop_fields_do_not_reach_the_guest(component: Server) -> None:
    assert component.get("/header/connection").body == component.get("/header/absent").body


def test_a_guest_that_sleeps_between_head_and_body_has_its_head_seen_first(component: Server) -> None:
    with component.connect() as client:
        client.sendall(b"GET /slow/1500 HTTP/1.1\r\nHost: a\r\n\r\n")
        stream = Stream(client)
        assert Response.head(stream).status == 200
        assert component.total()["in_flight"] == 1
        assert stream.chunk() == b"at last\n"


def test_a_sleeping_guest_ends_when_its_client_goes(component: Server) -> None:
    client = component.connect()
    client.sendall(b"GET /sleep/60000 HTTP/1.1\r\nHost: a\r\n\r\n")
    eventually(lambda: component.total()["in_flight"] == 1)
    client.close()
    eventually(lambda: component.total()["in_flight"] == 0)


def test_a_sleeping_guest_is_ended_by_the_clock(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(guests.http("stream"), tmp_path_factory.mktemp("clock"), {"limits": {"timeout": 0.5}})
    with serving(settings) as server:
        assert server.get("/sleep/60000").status == 504
        eventually(lambda: server.total()["in_flight"] == 0)


def test_requests_share_no_state(component: Server) -> None:
    bodies = {component.get("/elsewhere").body for _ in range(5)}
    assert bodies == {b"streamed\n"}


@pytest.fixture
def origin() -> Iterator[int]:
    """A plain HTTP origin on loopback that answers one line; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _answer(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nfar away")


def test_a_host_that_the_plan_lists_is_reached_and_another_is_not(
    origin: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plan = {"outbound": [f"http://127.0.0.1:{origin}"]}
    with serving(Settings(guests.http("outbound"), tmp_path_factory.mktemp("outbound"), plan)) as server:
        allowed = server.get(f"/http://127.0.0.1:{origin}/")
        assert (allowed.status, allowed.body) == (200, b"far away")
        denied = server.get("/http://example.com/")
        assert denied.status == 502
        assert b"refused" in denied.body
        server.wait_for(r"outboundHTTP")


def test_without_a_list_every_host_is_refused(origin: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(Settings(guests.http("outbound"), tmp_path_factory.mktemp("outbound"))) as server:
        assert server.get(f"/http://127.0.0.1:{origin}/").status == 502
        server.wait_for(r"outboundHTTP")
