"""One HTTP/1.1 message read from a stream: a bounded head, then the body piece by piece, then trailers (RFC 9112).

The parser is strict, and what goes out is written anew from what was parsed, so that no two readers of one message can
disagree where it ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import StreamReader
from collections.abc import AsyncIterator
from typing import TypeAlias

import httptools

from wherry.engine.egress.failure import ClientGone, Failure

Fields: TypeAlias = list[tuple[bytes, bytes]]

HEAD_LIMIT = 128 << 10
"""Bytes that may come in a row without body: of a head, of trailers; PIECE more may slip through."""
PIECE = 64 << 10
"""Bytes that are read at once."""

HOP_BY_HOP = frozenset(
    b"connection content-length expect host keep-alive proxy-authenticate proxy-authorization proxy-connection"
    b" te trailer transfer-encoding upgrade".split()
)
"""Fields of one connection (RFC 9110 §7.6.1), and those that are written anew."""
OURS = b"wherry-egress-"


class Message(ABC):
    """Common to requests and responses. A malformed one raises Failure of `code`, a too large head of `oversized`."""

    code = "HTTP-protocol-error"
    oversized = "HTTP-request-header-section-size"

    def __init__(self, reader: StreamReader, parser: type[httptools.HttpParser]) -> None:
        self._reader = reader
        self._parser = parser(self)
        self._bodiless_bytes = 0
        self._pieces: list[bytes] = []
        self._headed = False
        self._complete = False
        self.fields: Fields = []
        self.trailers: Fields = []

    @property
    def length(self) -> bytes | None:
        """Content-Length as it was written; None when there is none."""
        return next(iter(self.values(b"content-length")), None)

    @property
    def chunked(self) -> bool:
        return bool(self.values(b"transfer-encoding"))

    def values(self, name: bytes) -> list[bytes]:
        """The values of a field, by its lower-case name."""
        return [value for field, value in self.fields if field.lower() == name]

    def end_to_end(self) -> Fields:
        """The fields for whoever is next: without those of this connection, of framing, and ours."""
        named = {name.strip().lower() for value in self.values(b"connection") for name in value.split(b",")}
        return [(n, v) for n, v in self.fields if not _hop(n.lower(), named)]

    async def read_head(self) -> None:
        """Read up to the end of the head."""
        while not self._headed:
            await self._feed()
        coding = self.values(b"transfer-encoding")
        if coding and [value.lower() for value in coding] != [b"chunked"]:
            raise Failure(self.code, f"transfer coding {coding!r}, expected chunked")

    async def body(self) -> AsyncIterator[bytes]:
        """The body's pieces as they come."""
        while True:
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece
            if self._complete:
                return
            if not pieces:
                await self._feed()

    async def _feed(self) -> None:
        try:
            data = await self._reader.read(PIECE)
        except ConnectionError:
            data = b""
        if not data:
            self._end()
            return
        self._bodiless_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise Failure(self.code, "an upgrade, which is not available") from None
        except httptools.HttpParserError as fault:
            if not self._complete:
                raise Failure(self.code, f"malformed HTTP: {fault}") from None
        if self._bodiless_bytes > HEAD_LIMIT and not self._complete:
            raise Failure(self.oversized, f"a head or trailers of more than {HEAD_LIMIT} bytes")

    @abstractmethod
    def _end(self) -> None:
        """The connection ended before the message did: raise, unless that is how this message ends."""

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._complete:
            (self.trailers if self._headed else self.fields).append((name, value))

    def on_headers_complete(self) -> None:
        self._headed = True
        self._bodiless_bytes = 0

    def on_body(self, piece: bytes) -> None:
        self._bodiless_bytes = 0
        if not self._complete:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self._complete = True


class Request(Message):
    """What the adapter sends."""

    def __init__(self, reader: StreamReader) -> None:
        super().__init__(reader, httptools.HttpRequestParser)
        self.target = b""

    @property
    def method(self) -> bytes:
        method: bytes = self._parser.get_method()
        return method

    def _end(self) -> None:
        raise ClientGone

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_message_begin(self) -> None:
        if self._headed:
            raise ValueError("a second request on one connection")

    def head_for(self, host: bytes) -> bytes:
        """The head that the origin gets."""
        framing = (b"content-length", self.length) if self.length is not None else None
        framing = (b"transfer-encoding", b"chunked") if self.chunked else framing
        fields = [(b"host", host), *self.end_to_end(), *([framing] if framing else []), (b"connection", b"close")]
        return _head(b"%s %s HTTP/1.1" % (self.method, self.target), fields)


class Response(Message):
    """What the origin answers. bodiless: the request was HEAD."""

    oversized = "HTTP-response-header-section-size"

    def __init__(self, reader: StreamReader, *, bodiless: bool) -> None:
        super().__init__(reader, httptools.HttpResponseParser)
        self._bodiless = bodiless

    @property
    def status(self) -> int:
        status: int = self._parser.get_status_code()
        return status

    @property
    def until_closed(self) -> bool:
        """Whether only the end of the connection ends the body."""
        return self.length is None and not self.chunked and not self._complete

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._bodiless and self.status >= 200:
            self._complete = True

    def on_message_complete(self) -> None:
        """An informational response is passed over; the real one follows (RFC 9110 §15.2)."""
        if 100 <= self.status < 200:
            self._headed = False
            self.fields.clear()
        else:
            super().on_message_complete()

    def head_for_guest(self) -> tuple[bytes, bool]:
        """The head that the guest's side gets, and whether the body must be sent in chunks."""
        chunked = self.chunked or self.until_closed
        fields = self.end_to_end()
        if chunked:
            fields.append((b"transfer-encoding", b"chunked"))
        elif self.length is not None:
            fields.append((b"content-length", self.length))
        return _head(b"HTTP/1.1 %d -" % self.status, [*fields, (b"connection", b"close")]), chunked

    def _end(self) -> None:
        if not self._headed or not self.until_closed:
            raise Failure("connection-terminated", "the origin closed the connection early")
        self._complete = True


def chunk(piece: bytes) -> bytes:
    """One chunk of the chunked coding (RFC 9112 §7.1)."""
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def last_chunk(trailers: Fields) -> bytes:
    """The end of a chunked body."""
    return b"0\r\n" + b"".join(b"%s: %s\r\n" % field for field in trailers) + b"\r\n"


def _head(line: bytes, fields: Fields) -> bytes:
    return line + b"\r\n" + b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n"


def _hop(name: bytes, named: set[bytes]) -> bool:
    return name in HOP_BY_HOP or name in named or name.startswith(OURS)
