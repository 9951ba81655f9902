"""Both ends of a connection as values: bytes in, events out; calls in, bytes out. Pure.

A stream is one call: the client opens it with an odd, growing number, the server closes it with one answer.

    server                              client
    FRESH --request--> OPEN             FRESH --call--> OPEN
    OPEN --answer--> CLOSED             OPEN --response--> CLOSED

`REFUSALS` has what else may arrive: the peer's fault, answered on that stream without harm to the others. What ends
the connection is `frames.NotTtrpc`, also the peer's fault. Using a connection wrongly is ours: LocalProtocolError.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from google.protobuf.message import DecodeError

from wherry_shim.proto.ttrpc_pb2 import Request, Response, Status
from wherry_shim.ttrpc.codes import Code, RpcError
from wherry_shim.ttrpc.frames import MAX_DATA, Frame, FrameType, Oversized, Reader, encoded


class LocalProtocolError(Exception):
    """We used a connection as the protocol does not allow."""


class Stream(Enum):
    """Where a stream is in its life."""

    FRESH = "new"
    OPEN = "waiting for its answer"
    CLOSED = "answered already"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that wants an answer. timeout: seconds, None without a limit."""

    stream: int
    service: str
    method: str
    payload: bytes
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A frame that is no call. answer: what to send to the peer."""

    stream: int
    error: RpcError
    answer: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to: the bytes of its message, or why there are none."""

    stream: int
    result: bytes | RpcError


STREAMING = "streams are not supported, only calls with one request and one response"

REFUSALS: dict[tuple[int, Stream], tuple[Code, str]] = {
    (FrameType.REQUEST, Stream.OPEN): (Code.INVALID_ARGUMENT, "a stream's number is used once, and grows"),
    (FrameType.REQUEST, Stream.CLOSED): (Code.INVALID_ARGUMENT, "a stream's number is used once, and grows"),
    (FrameType.DATA, Stream.FRESH): (Code.UNIMPLEMENTED, STREAMING),
    (FrameType.DATA, Stream.OPEN): (Code.UNIMPLEMENTED, STREAMING),
}
"""Frames that a server answers with a status."""

IGNORED = {
    (FrameType.DATA, Stream.CLOSED),  # the rest of a stream that was refused
    *((FrameType.RESPONSE, state) for state in Stream),  # two ends that answer each other's responses would never stop
}
"""Frames that a server lets pass."""


class ServerConnection:
    """The end that is called."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._open: set[int] = set()
        self._last = 0

    def receive(self, data: bytes) -> Iterator[Call | Refusal]:
        """What these bytes complete; to be exhausted before more is received. Raises NotTtrpc."""
        for frame in self._reader.feed(data):
            if event := self._event(frame):
                yield event

    def answer(self, stream: int, result: bytes | RpcError) -> bytes:
        """Close a stream; the bytes to send. A message that is too long becomes a status that says so."""
        if stream not in self._open:
            raise LocalProtocolError(f"stream {stream} is {self._state(stream).value}, expected one that waits")
        self._open.remove(stream)
        return _response(stream, result)

    def _state(self, stream: int) -> Stream:
        if stream in self._open:
            return Stream.OPEN
        return Stream.CLOSED if stream <= self._last else Stream.FRESH

    def _event(self, frame: Frame | Oversized) -> Call | Refusal | None:
        state = self._state(frame.stream)
        if (frame.type, state) in IGNORED:
            return None
        try:
            _check_place(frame, state)
            self._last = frame.stream
            call = _call(frame)
        except RpcError as fault:
            return Refusal(frame.stream, fault, _response(frame.stream, fault))
        self._open.add(frame.stream)
        return call


def _check_place(frame: Frame | Oversized, state: Stream) -> None:
    """Raises RpcError for a frame that may not arrive now."""
    if frame.stream % 2 == 0:
        raise RpcError(Code.INVALID_ARGUMENT, f"stream {frame.stream}: a client opens odd streams only")
    if refusal := REFUSALS.get((frame.type, state)):
        raise RpcError(refusal[0], f"stream {frame.stream} is {state.value}: {refusal[1]}")
    if frame.type != FrameType.REQUEST:
        raise RpcError(Code.UNIMPLEMENTED, f"stream {frame.stream}: frames of type {frame.type} are not known")


def _call(frame: Frame | Oversized) -> Call:
    """Raises RpcError for a request that cannot be one call."""
    if isinstance(frame, Oversized):
        raise _too_long(frame.length)
    if frame.flags:
        raise RpcError(Code.UNIMPLEMENTED, f"stream {frame.stream} has flags {frame.flags:#x}: {STREAMING}")
    try:
        request = Request.FromString(frame.data)
    except DecodeError as fault:
        raise RpcError(
            Code.INVALID_ARGUMENT, f"stream {frame.stream}: the request cannot be decoded: {fault}"
        ) from fault
    timeout = request.timeout_nano / 1e9 if request.timeout_nano else None
    return Call(frame.stream, request.service, request.method, request.payload, timeout)


class ClientConnection:
    """The end that calls."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._open: set[int] = set()
        self._next = 1

    def call(self, service: str, method: str, payload: bytes, timeout: float | None = None) -> tuple[int, bytes]:
        """Open a stream; its number and the bytes to send. timeout: seconds, told to the server.

        Raises RpcError for a message that no server takes, and LocalProtocolError when all numbers are used.
        """
        request = Request(service=service, method=method, payload=payload, timeout_nano=int((timeout or 0) * 1e9))
        data = request.SerializeToString()
        if len(data) > MAX_DATA:
            raise _too_long(len(data))
        if self._next >= 1 << 32:
            raise LocalProtocolError("all streams of this connection are used, expected a new connection")
        stream = self._next
        self._next += 2
        self._open.add(stream)
        return stream, encoded(stream, FrameType.REQUEST, data)

    def forget(self, stream: int) -> None:
        """Nobody waits for this answer any more."""
        self._open.discard(stream)

    def receive(self, data: bytes) -> Iterator[Answer]:
        """Answers that these bytes complete, without those that nobody waits for. Raises NotTtrpc."""
        for frame in self._reader.feed(data):
            if frame.stream in self._open:
                self._open.remove(frame.stream)
                yield Answer(frame.stream, _result(frame))


def _result(frame: Frame | Oversized) -> bytes | RpcError:
    if isinstance(frame, Oversized):
        return _too_long(frame.length)
    if frame.type != FrameType.RESPONSE:
        return RpcError(Code.UNIMPLEMENTED, f"the server sent a frame of type {frame.type}: {STREAMING}")
    try:
        response = Response.FromString(frame.data)
    except DecodeError as fault:
        return RpcError(Code.INTERNAL, f"the response cannot be decoded: {fault}")
    if response.status.code != Code.OK:
        return RpcError(response.status.code, response.status.message)
    return response.payload


def _response(stream: int, result: bytes | RpcError) -> bytes:
    if isinstance(result, RpcError):
        data = Response(status=Status(code=result.code, message=str(result))).SerializeToString()
    else:
        data = Response(payload=result).SerializeToString()
    if len(data) > MAX_DATA:
        return _response(stream, _too_long(len(data)))
    return encoded(stream, FrameType.RESPONSE, data)


def _too_long(length: int) -> RpcError:
    return RpcError(Code.RESOURCE_EXHAUSTED, f"a message of {length} bytes, expected at most {MAX_DATA}")
