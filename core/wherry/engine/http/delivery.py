"""One response on its way to the client: head, framing, body, trailers. Knows the transport, not the guest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wherry.engine.http.head import Fields, RequestHead
from wherry.engine.http.reply import (
    BadResponse,
    Framing,
    ResponseHead,
    framing_of,
    trailer_lines,
    wire_head,
)

FindHead = Callable[[bytes | bytearray], tuple[ResponseHead, int] | None]
"""The response head for a guest's output so far, and where in it the body begins; None while there is none."""

HEADLESS = 1 << 20
"""Bytes of output that are kept while there is no head."""


class Delivery:
    """status: 0 until a head was sent. sent: body bytes handed to the transport.

    `feed` streams what the guest has written so far; `finish` takes the rest when the guest has ended. Both raise
    BadResponse; if `status` is still 0, another answer may be given instead, else the connection has to be cut.
    """

    __slots__ = (
        "_buffer",
        "_date",
        "_extra",
        "_find_head",
        "_framing",
        "_left",
        "_request",
        "_transport",
        "sent",
        "status",
    )

    def __init__(
        self, transport: asyncio.WriteTransport, request: RequestHead, find_head: FindHead, date: bytes, extra: bytes
    ) -> None:
        self._transport, self._request, self._find_head = transport, request, find_head
        self._date, self._extra = date, extra
        self._buffer = bytearray()
        self._framing = Framing.NONE
        self._left = 0
        self.status = 0
        self.sent = 0

    def feed(self, data: bytes) -> None:
        """More output of a guest that has not ended yet."""
        if self.status:
            self._body(data)
            return
        self._buffer += data
        parsed = self._find_head(self._buffer)
        if parsed is not None:
            head, start = parsed
            self._start(head)
            self._body(bytes(self._buffer[start:]))
            self._buffer.clear()

    def finish(self, rest: bytes, trailers: Fields) -> None:
        """The last output of a guest that has ended well."""
        if not self.status and not self._buffer and not trailers:
            parsed = self._find_head(rest)
            if parsed is not None:
                head, start = parsed
                self.whole(head, rest[start:])
                return
        if rest:
            self.feed(rest)
        if not self.status:
            raise BadResponse("the guest ended without a whole response head")
        self._end(trailers)

    def whole(self, head: ResponseHead, body: bytes) -> None:
        """A response that is complete now: one write."""
        framing = framing_of(head, self._request.method, self._request.version, len(body))
        if framing is Framing.NONE:
            self._transport.write(wire_head(head, framing, None, date=self._date, extra=self._lines(head)))
        else:
            if head.length not in (None, len(body)):
                raise BadResponse(f"a body of {len(body)} bytes where Content-Length says {head.length}")
            wire = wire_head(head, framing, len(body), date=self._date, extra=self._lines(head))
            self._transport.write(wire + body)
            self.sent = len(body)
        self.status = head.status

    @property
    def full(self) -> bool:
        """Whether there is enough output for now: nothing can be sent before its head."""
        return len(self._buffer) > HEADLESS

    @property
    def cut_shows(self) -> bool:
        """Whether a client can tell that a response which ends here is not whole."""
        return self._framing is not Framing.CLOSE

    def _start(self, head: ResponseHead) -> None:
        self._framing = framing_of(head, self._request.method, self._request.version, None)
        self._left = head.length or 0
        extra = self._lines(head)
        if self._framing is Framing.CLOSE:
            extra += b"connection: close\r\n"
        self._transport.write(wire_head(head, self._framing, None, date=self._date, extra=extra))
        self.status = head.status

    def _lines(self, head: ResponseHead) -> bytes:
        if not head.identified:
            return self._extra
        return b"".join(line for line in self._extra.splitlines(True) if not line.startswith(b"x-request-id"))

    def _body(self, data: bytes) -> None:
        if not data or self._framing is Framing.NONE:
            return
        self.sent += len(data)
        if self._framing is Framing.CHUNKED:
            self._transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
            return
        if self._framing is Framing.LENGTH:
            self._left -= len(data)
            if self._left < 0:
                raise BadResponse("more body than Content-Length says")
        self._transport.write(data)

    def _end(self, trailers: Fields) -> None:
        if self._framing is Framing.CHUNKED:
            self._transport.write(b"0\r\n%s\r\n" % trailer_lines(trailers))
        elif self._framing is Framing.LENGTH and self._left:
            raise BadResponse(f"the body ended {self._left} bytes before what Content-Length says")
