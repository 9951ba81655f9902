"""Both ends without a socket: what one sends the other reads, and what neither may send is refused.

Streams: every pair of a frame's type and a stream's state is either a call, in REFUSALS or in IGNORED.
Bytes: cut anywhere they give the same events; whatever they are, they give events or NotTtrpc.
"""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ttrpc.test_frames import cut
from wherry_shim.proto.ttrpc_pb2 import KeyValue, Request, Response, Status
from wherry_shim.ttrpc.codes import Code, RpcError
from wherry_shim.ttrpc.connection import (
    IGNORED,
    REFUSALS,
    Answer,
    Call,
    ClientConnection,
    LocalProtocolError,
    Refusal,
    ServerConnection,
    Stream,
)
from wherry_shim.ttrpc.frames import HEADER, MAX_DATA, FrameType, NotTtrpc

Given = tuple[str, str, bytes, float | None]
TEXT = st.text(max_size=10)
CALLS = st.tuples(TEXT, TEXT, st.binary(max_size=30), st.none() | st.integers(1, 10**6).map(float))


def frame(stream: int, kind: int, data: bytes = b"", flags: int = 0) -> bytes:
    return HEADER.pack(len(data), stream, kind, flags) + data


REQUEST = Request(service="s", method="m", payload=b"p", metadata=[KeyValue(key="k", value="v")]).SerializeToString()


def received(server: ServerConnection, data: bytes) -> list[Call | Refusal]:
    return list(server.receive(data))


def refusal(server: ServerConnection, data: bytes) -> RpcError:
    """The one refusal of these bytes, which is also what the client reads."""
    [event] = received(server, data)
    assert isinstance(event, Refusal)
    response = Response.FromString(event.answer[HEADER.size :])
    assert HEADER.unpack_from(event.answer)[1:3] == (event.stream, FrameType.RESPONSE)
    assert (response.status.code, response.status.message) == (event.error.code, str(event.error))
    return event.error


def with_stream(state: Stream) -> ServerConnection:
    """A server whose stream 5 is so."""
    server = ServerConnection()
    if state is not Stream.FRESH:
        received(server, frame(5, FrameType.REQUEST, REQUEST))
    if state is Stream.CLOSED:
        server.answer(5, b"")
    return server


@given(st.lists(CALLS, max_size=6), st.lists(st.integers(0, 1000), max_size=8), st.randoms())
def test_calls_and_answers_arrive_however_bytes_are_cut(calls: list[Given], at: list[int], dice: Random) -> None:
    client, server = ClientConnection(), ServerConnection()
    sent = [client.call(*call) for call in calls]
    arrived = [event for piece in cut(b"".join(data for _, data in sent), at) for event in server.receive(piece)]
    assert arrived == [Call(stream, *call) for (stream, _), call in zip(sent, calls, strict=True)]
    streams = [stream for stream, _ in sent]
    dice.shuffle(streams)
    answers = b"".join(server.answer(stream, f"to {stream}".encode()) for stream in streams)
    back = [answer for piece in cut(answers, at) for answer in client.receive(piece)]
    assert back == [Answer(stream, f"to {stream}".encode()) for stream in streams]


def test_an_error_arrives_with_its_code_and_sentence() -> None:
    client, server = ClientConnection(), ServerConnection()
    stream, data = client.call("s", "m", b"")
    received(server, data)
    [answer] = client.receive(server.answer(stream, RpcError(Code.NOT_FOUND, "no task a1")))
    assert isinstance(answer.result, RpcError)
    assert (answer.result.code, str(answer.result)) == (Code.NOT_FOUND, "no task a1")


@pytest.mark.parametrize(("kind", "state"), list(product(FrameType, Stream)))
def test_every_frame_in_every_state_is_a_call_refused_or_let_pass(kind: FrameType, state: Stream) -> None:
    server = with_stream(state)
    events = received(server, frame(5, kind, REQUEST))
    if (kind, state) in IGNORED:
        assert events == []
    elif (kind, state) in REFUSALS:
        assert [type(event) for event in events] == [Refusal]
    else:
        assert (kind, state, events) == (FrameType.REQUEST, Stream.FRESH, [Call(5, "s", "m", b"p", None)])


REFUSED = {
    "an even stream": (frame(2, 1, REQUEST), Code.INVALID_ARGUMENT, "stream 2: a client opens odd streams only"),
    "a stream below one that was used": (frame(3, 1, REQUEST), Code.INVALID_ARGUMENT, "used once, and grows"),
    "a stream that is open": (frame(5, 1, REQUEST), Code.INVALID_ARGUMENT, "stream 5 is waiting for its answer"),
    "a request that goes on": (frame(7, 1, REQUEST, 2), Code.UNIMPLEMENTED, "stream 7 has flags 0x2: streams are not"),
    "a request that wants a stream": (frame(7, 1, REQUEST, 1), Code.UNIMPLEMENTED, "has flags 0x1: streams are not"),
    "data of no stream": (frame(7, 3), Code.UNIMPLEMENTED, "stream 7 is new: streams are not supported"),
    "data of an open stream": (frame(5, 3), Code.UNIMPLEMENTED, "streams are not supported"),
    "a type of the future": (frame(7, 9), Code.UNIMPLEMENTED, "frames of type 9 are not known"),
    "a request that is no request": (frame(7, 1, b"\xff"), Code.INVALID_ARGUMENT, "cannot be decoded"),
    "a message that is too long": (
        frame(7, 1, bytes(MAX_DATA + 1)),
        Code.RESOURCE_EXHAUSTED,
        f"a message of {MAX_DATA + 1} bytes, expected at most {MAX_DATA}",
    ),
}


@pytest.mark.parametrize(("data", "code", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_so_and_harms_no_other_stream(data: bytes, code: Code, sentence: str) -> None:
    server = with_stream(Stream.OPEN)
    error = refusal(server, data)
    assert error.code == code
    assert sentence in str(error)
    assert received(server, frame(9, 1, REQUEST)) == [Call(9, "s", "m", b"p", None)]
    assert server.answer(5, b"")
    assert server.answer(9, b"")


def test_the_rest_of_a_stream_that_was_refused_passes_in_silence() -> None:
    server = ServerConnection()
    refusal(server, frame(1, 1, REQUEST, flags=2))
    assert received(server, frame(1, 3, b"more") + frame(1, 3, b"", flags=5)) == []


def test_an_answer_that_is_too_long_becomes_a_status() -> None:
    server, client = ServerConnection(), ClientConnection()
    stream, data = client.call("s", "m", b"")
    received(server, data)
    [answer] = client.receive(server.answer(stream, bytes(MAX_DATA)))
    assert isinstance(answer.result, RpcError)
    assert answer.result.code == Code.RESOURCE_EXHAUSTED


def test_a_server_answers_a_call_once() -> None:
    server = with_stream(Stream.CLOSED)
    with pytest.raises(LocalProtocolError, match="stream 5 is answered already, expected one that waits"):
        server.answer(5, b"")
    with pytest.raises(LocalProtocolError, match="stream 7 is new, expected one that waits"):
        server.answer(7, b"")


BAD_ANSWERS = {
    "data": (frame(1, 3, b"x"), Code.UNIMPLEMENTED, "a frame of type 3: streams are not supported"),
    "no response": (frame(1, 2, b"\xff"), Code.INTERNAL, "the response cannot be decoded"),
    "too long": (frame(1, 2, bytes(MAX_DATA + 1)), Code.RESOURCE_EXHAUSTED, "a message of 4194305 bytes"),
    "a code of the future": (frame(1, 2, Response(status=Status(code=99)).SerializeToString()), 99, ""),
}


@pytest.mark.parametrize(("data", "code", "sentence"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_answer_ends_its_call_only(data: bytes, code: int, sentence: str) -> None:
    client = ClientConnection()
    client.call("s", "m", b"")
    client.call("s", "m", b"")
    bad, good = client.receive(data + frame(3, 2))
    assert isinstance(bad.result, RpcError)
    assert bad.result.code == code
    assert sentence in str(bad.result)
    assert good == Answer(3, b"")


def test_an_answer_that_nobody_waits_for_is_let_pass() -> None:
    client = ClientConnection()
    stream, _ = client.call("s", "m", b"")
    client.forget(stream)
    assert list(client.receive(frame(stream, 2) + frame(77, 2))) == []


def test_a_call_that_is_too_long_is_not_sent() -> None:
    client = ClientConnection()
    with pytest.raises(RpcError, match="expected at most 4194304"):
        client.call("s", "m", bytes(MAX_DATA))
    assert client.call("s", "m", b"")[0] == 1


FRAMES = st.builds(
    frame, st.integers(0, 7), st.integers(0, 4), st.just(REQUEST) | st.binary(max_size=9), st.integers(0, 5)
)


@given(st.lists(FRAMES | st.binary(max_size=9), max_size=9), st.lists(st.integers(0, 1000), max_size=8))
def test_any_bytes_give_the_same_events_however_they_are_cut(frames: list[bytes], at: list[int]) -> None:
    data = b"".join(frames)
    assert outcome(ServerConnection(), [data]) == outcome(ServerConnection(), cut(data, at))
    clients = [ClientConnection(), ClientConnection()]
    for client in clients * 2:
        client.call("s", "m", b"")
    assert outcome(clients[0], [data]) == outcome(clients[1], cut(data, at))


def outcome(end: ServerConnection | ClientConnection, pieces: list[bytes]) -> list[str]:
    """Events in words, since errors are equal only to themselves."""
    words: list[str] = []
    try:
        for piece in pieces:
            words.extend(map(repr, end.receive(piece)))
    except NotTtrpc as fault:
        words.append(str(fault))
    return words
