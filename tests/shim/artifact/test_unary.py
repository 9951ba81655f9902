"""A gRPC call as values: what a server may answer, and that whatever it sends ends in an answer or a refusal."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import given
from hypothesis import strategies as st

from wherry_shim.artifact.unary import ANSWER_LIMIT, INTERNAL, NOT_FOUND, UNAVAILABLE, RpcError, UnaryCall

HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
FINE = [("grpc-status", "0")]


def _call(request: bytes = b"question") -> UnaryCall:
    return UnaryCall("/a.Service/Get", request, {"containerd-namespace": "k8s.io"})


def _message(data: bytes) -> bytes:
    return struct.pack("!?I", False, len(data)) + data


class Server:
    """The other end of one call, spoken by h2 as well."""

    def __init__(self, call: UnaryCall) -> None:
        self.http = H2Connection(H2Configuration(client_side=False))
        self.http.initiate_connection()
        self.events = self.http.receive_data(call.outgoing())
        self._call = call

    def answer(self) -> bytes | None:
        """Hand over what was said since, and take what the call says to that."""
        found = self._call.receive(self.http.data_to_send())
        self.events += self.http.receive_data(self._call.outgoing())
        return found


def _answered(speak: Callable[[H2Connection], None]) -> bytes | None:
    server = Server(_call())
    speak(server.http)
    return server.answer()


def _refused(speak: Callable[[H2Connection], None]) -> RpcError:
    with pytest.raises(RpcError) as caught:
        _answered(speak)
    return caught.value


def test_the_request_is_what_grpc_servers_want() -> None:
    events = Server(_call()).events
    headers = dict(next(event.headers for event in events if hasattr(event, "headers")))
    assert headers == {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": b"/a.Service/Get",
        b":authority": b"localhost",
        b"te": b"trailers",
        b"content-type": b"application/grpc",
        b"containerd-namespace": b"k8s.io",
    }
    assert [event.data for event in events if hasattr(event, "data")] == [_message(b"question")]


def test_an_answer_comes_when_its_status_has_come() -> None:
    server = Server(_call())
    server.http.send_headers(1, HEADERS)
    assert server.answer() is None
    server.http.send_data(1, _message(b"answer")[:3])
    assert server.answer() is None
    server.http.send_data(1, _message(b"answer")[3:])
    assert server.answer() is None
    server.http.send_headers(1, FINE, end_stream=True)
    assert server.answer() == b"answer"


def test_an_answer_larger_than_the_first_window_is_taken_in_pieces() -> None:
    server, answer = Server(_call()), bytes(1 << 20)
    server.http.send_headers(1, HEADERS)
    rest = _message(answer)
    while rest:
        size = min(len(rest), server.http.local_flow_control_window(1), server.http.max_outbound_frame_size)
        assert size, "no window was given back"
        server.http.send_data(1, rest[:size])
        rest = rest[size:]
        assert server.answer() is None
    server.http.send_headers(1, FINE, end_stream=True)
    assert server.answer() == answer


def test_a_refusal_without_a_body_is_told_in_the_servers_words() -> None:
    def speak(http: H2Connection) -> None:
        trailers = [("grpc-status", "5"), ("grpc-message", "image %22x%22: not found")]
        http.send_headers(1, [*HEADERS, *trailers], end_stream=True)

    error = _refused(speak)
    assert (error.code, str(error)) == (NOT_FOUND, 'image "x": not found')


@pytest.mark.parametrize(
    ("body", "trailers", "message"),
    [
        pytest.param(b"", FINE, "not one whole message", id="nothing"),
        pytest.param(_message(b"ab")[:-1], FINE, "not one whole message", id="cut"),
        pytest.param(_message(b"ab") * 2, FINE, "not one whole message", id="twice"),
        pytest.param(b"\1" + _message(b"ab")[1:], FINE, "not one whole message", id="compressed"),
        pytest.param(_message(b"ab"), [("x", "y")], "HTTP status 200 without a gRPC status", id="no status"),
        pytest.param(_message(b"ab"), [("grpc-status", "-1")], "without a gRPC status", id="no number"),
    ],
)
def test_what_is_no_answer_is_refused(body: bytes, trailers: list[tuple[str, str]], message: str) -> None:
    def speak(http: H2Connection) -> None:
        http.send_headers(1, HEADERS)
        http.send_data(1, body)
        http.send_headers(1, trailers, end_stream=True)

    error = _refused(speak)
    assert error.code == INTERNAL
    assert message in str(error)


@pytest.mark.parametrize("end", [lambda http: http.reset_stream(1), lambda http: http.close_connection()])
def test_a_call_that_is_broken_off_is_refused(end: Callable[[H2Connection], None]) -> None:
    assert _refused(end).code == UNAVAILABLE


def test_a_closed_connection_is_refused() -> None:
    with pytest.raises(RpcError, match="closed before the answer"):
        _call().receive(b"")


def test_an_answer_without_end_is_cut_off() -> None:
    server = Server(_call())
    server.http.send_headers(1, HEADERS)

    def flood() -> None:
        for _ in range(ANSWER_LIMIT // 16384 + 8):
            server.http.send_data(1, bytes(16384))
            server.answer()

    with pytest.raises(RpcError, match="more than"):
        flood()


def test_a_request_that_no_window_holds_is_refused() -> None:
    with pytest.raises(RpcError, match="a request of"):
        _call(bytes(20_000))


@given(st.lists(st.binary(min_size=1, max_size=64), max_size=8))
def test_any_bytes_end_in_nothing_or_a_refusal(pieces: list[bytes]) -> None:
    call = _call()
    for piece in pieces:
        try:
            assert call.receive(piece) is None
        except RpcError:
            return


RIGHT = Server(_call())
RIGHT.http.send_headers(1, HEADERS)
RIGHT.http.send_data(1, _message(b"answer"))
RIGHT.http.send_headers(1, FINE, end_stream=True)
TRANSCRIPT = RIGHT.http.data_to_send()


def _outcome(data: bytes) -> bytes | RpcError | None:
    try:
        return _call().receive(data)
    except RpcError as refusal:
        return refusal


@given(st.integers(0, len(TRANSCRIPT) - 1), st.binary(min_size=0, max_size=4), st.integers(0, 4))
def test_a_damaged_transcript_ends_in_an_answer_or_a_refusal(at: int, insert: bytes, dropped: int) -> None:
    data = TRANSCRIPT[:at] + insert + TRANSCRIPT[at + dropped :]
    assert isinstance(_outcome(data), bytes | RpcError | None)
