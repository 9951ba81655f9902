"""One unary gRPC call over an HTTP/2 connection of its own, as values: bytes out, bytes in, an answer or a refusal.

The gRPC protocol over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md), without compression.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error, ProtocolError

OK = 0
UNKNOWN = 2
NOT_FOUND = 5
INTERNAL = 13
UNAVAILABLE = 14
ANSWER_LIMIT = 16 << 20
"""Bytes of an answer: what gRPC servers send at most unless told otherwise."""
REQUEST_LIMIT = 16 << 10
"""Bytes of a request, so that it is one frame within every server's first window."""
_PREFIX = struct.Struct("!?I")


class RpcError(Exception):
    """The call failed. code: of gRPC (statuscodes.md)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnaryCall:
    """Send `outgoing()`, hand what comes to `receive`, until it returns an answer. Raises RpcError."""

    def __init__(self, path: str, request: bytes, metadata: Mapping[str, str]) -> None:
        if len(request) > REQUEST_LIMIT:
            raise RpcError(INTERNAL, f"a request of {len(request)} bytes, expected at most {REQUEST_LIMIT}")
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._body = bytearray()
        self._headers: dict[str, str] = {}
        self._http.initiate_connection()
        self._http.send_headers(1, _headers(path, metadata))
        self._http.send_data(1, _PREFIX.pack(False, len(request)) + request, end_stream=True)

    def outgoing(self) -> bytes:
        """What is to be sent now; may be empty."""
        return self._http.data_to_send()

    def receive(self, data: bytes) -> bytes | None:
        """data: as it comes; empty when the peer has closed. The answer when it is whole."""
        if not data:
            raise RpcError(UNAVAILABLE, "the connection was closed before the answer")
        try:
            events = self._http.receive_data(data)
        except (H2Error, ValueError) as error:
            raise RpcError(INTERNAL, f"an answer that is not HTTP/2 ({error})") from None
        ended = [self._take(event) for event in events]
        return self._answer() if any(ended) else None

    def _take(self, event: Event) -> bool:
        """Whether the answer has ended."""
        if isinstance(event, ResponseReceived | TrailersReceived):
            self._headers |= {str(name): str(value) for name, value in event.headers or ()}
        elif isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, StreamReset | ConnectionTerminated):
            raise RpcError(UNAVAILABLE, f"the call was broken off (HTTP/2 error {event.error_code})")
        return isinstance(event, StreamEnded)

    def _data(self, event: DataReceived) -> None:
        self._body += event.data or b""
        if len(self._body) > ANSWER_LIMIT:
            raise RpcError(INTERNAL, f"an answer of more than {ANSWER_LIMIT} bytes")
        try:
            self._http.acknowledge_received_data(event.flow_controlled_length or 0, 1)
        except (ProtocolError, ValueError):
            raise RpcError(INTERNAL, "data outside the answer") from None

    def _answer(self) -> bytes:
        status = self._headers.get("grpc-status", "")
        if not status.isdecimal():
            raise RpcError(INTERNAL, f"HTTP status {self._headers.get(':status', 'missing')} without a gRPC status")
        if int(status[:4]) != OK:
            raise RpcError(int(status[:4]), unquote(self._headers.get("grpc-message", ""))[:1000])
        if len(self._body) < _PREFIX.size or _PREFIX.unpack_from(self._body) != (False, len(self._body) - _PREFIX.size):
            raise RpcError(INTERNAL, "an answer that is not one whole message")
        return bytes(self._body[_PREFIX.size :])


def _headers(path: str, metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    fixed = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
    return [*fixed, ("te", "trailers"), ("content-type", "application/grpc"), *metadata.items()]
