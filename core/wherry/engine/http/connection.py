"""One client connection: bytes to exchanges, one answered at a time and in order (RFC 9112 §9.3)."""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import httptools

from wherry.engine.http.exchange import Exchange
from wherry.engine.http.head import MAX_FIELDS, MAX_HEAD, Fields, Refused, checked
from wherry.engine.http.refusal import NOTHING, check_size, refusal_of, too_large, wire_refusal

if TYPE_CHECKING:
    from wherry.engine.http.worker import Worker

LINGER_BYTES = 1 << 20
"""Bytes of a refused request that are read and thrown away, so that the client sees the answer before a reset."""

FRESH = 1.0
"""Seconds that a new connection has for its first request when the worker drains."""


class Connection(asyncio.Protocol):
    """Reading stops while a second request is waiting, a body finds no room, or nobody reads the answers."""

    transport: asyncio.Transport

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._parser: Any = httptools.HttpRequestParser(self)
        self._exchanges: deque[Exchange] = deque()  # the first is being answered
        self._receiving: Exchange | None = None  # its body is arriving
        self._refusal: Refused | None = None  # what to say after the exchanges
        self._target = b""
        self._fields: Fields = []
        self._head_unparsed = 0  # bytes of it in reads before the last
        self._read_size = 0
        self._head_since = 0.0  # 0 is: no head has begun
        self._touched = monotonic()
        self._lingering = 0
        self._reading = True
        self._fresh = True  # nothing was asked yet
        self.write_paused = False
        self.peer: tuple[bytes, bytes] = (b"", b"")

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        if name:
            self.peer = (name[0].removeprefix("::ffff:").encode(), b"%d" % name[1])
        self._worker.connected(self)
        if self._worker.draining:
            self.drain()

    def data_received(self, data: bytes) -> None:
        self._touched = monotonic()
        self._read_size = len(data)
        if self._refusal is not None:
            self._discard(len(data))
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse(refusal_of(error, data))
        if self._head_since and self._head_since < self._touched:
            self._head_unparsed += len(data)
            if self._head_unparsed > 2 * MAX_HEAD:
                self._refuse(too_large())
        if len(self._exchanges) > 1:
            self.pause_reading()
        elif self._receiving is not None:
            self._try_start()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._refusal = self._refusal or NOTHING
        waiting, self._exchanges = self._exchanges, deque()
        if waiting:
            waiting.popleft().cancel("client")
        for exchange in waiting:
            exchange.drop()
        self._worker.disconnected(self)
        self._parser = None  # it holds our methods: without it, nothing is left for the garbage collector

    def pause_writing(self) -> None:
        self.write_paused = True
        if self._exchanges:
            self._exchanges[0].pause()

    def resume_writing(self) -> None:
        self.write_paused = False
        self._touched = monotonic()
        if self._exchanges:
            self._exchanges[0].resume()

    def pause_reading(self) -> None:
        if self._reading and not self.transport.is_closing():
            self._reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._reading and len(self._exchanges) < 2 and not self.transport.is_closing():
            self._reading = True
            self._touched = monotonic()
            self.transport.resume_reading()

    # httptools' side

    def on_message_begin(self) -> None:
        self._target = b""
        self._fields = []
        self._head_unparsed = 0
        self._head_since = self._touched

    def on_url(self, target: bytes) -> None:
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser, worker = self._parser, self._worker
        if self._refusal is not None:
            raise self._refusal
        if self._read_size + self._head_unparsed > MAX_HEAD or len(self._fields) > MAX_FIELDS:
            check_size(self._target, self._fields)
        head = checked(
            parser.get_method(),
            self._target,
            parser.get_http_version(),
            self._fields,
            keep_alive=parser.should_keep_alive(),
            max_body=worker.max_body,
        )
        self._fresh = False
        self._head_since = 0.0
        self._fields = []  # from here on those of the trailer section
        self._receiving = exchange = Exchange(worker, self, head)
        self._exchanges.append(exchange)
        if head.expects_continue and len(self._exchanges) == 1:
            self._greet(exchange)

    def on_body(self, data: bytes) -> None:
        exchange = self._receiving
        assert exchange is not None  # noqa: S101 - narrows the type
        exchange.add(data)
        limit = self._worker.max_body
        if limit is not None and exchange.received > limit:
            raise Refused(413, f"the body is larger than {limit} bytes")

    def on_message_complete(self) -> None:
        exchange = self._receiving
        assert exchange is not None  # noqa: S101 - narrows the type
        exchange.trailers, self._fields = self._fields, []
        exchange.end()
        self._try_start()
        self._receiving = None

    # The exchanges' side

    def _try_start(self) -> None:
        """Hand the first exchange to a guest, if that was not done and it is ready."""
        if self._exchanges:
            first = self._exchanges[0]
            if first.ready and not first.submitted:
                self._worker.submit(first)

    def _next(self) -> None:
        if self._exchanges:
            first = self._exchanges[0]
            first.first()
            self._greet(first)
            self._try_start()

    def _greet(self, exchange: Exchange) -> None:
        """Ask for the body of a client that waits for that (RFC 9110 §10.1.1)."""
        if exchange.head.expects_continue and not exchange.complete and exchange.head.length != 0:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def answers(self, exchange: Exchange) -> bool:
        """Whether it is this exchange's turn."""
        return bool(self._exchanges) and self._exchanges[0] is exchange

    def closes(self, exchange: Exchange) -> bool:
        """Whether the connection will close after this exchange, as far as it is known now."""
        return not exchange.head.keep_alive or self._worker.draining or self._refusal is not None

    def settled(self, exchange: Exchange, whole: bool, cut_shows: bool) -> None:
        """An exchange has been answered, or has to be cut off."""
        if self._exchanges and self._exchanges[0] is exchange:
            self._exchanges.popleft()
        if self.transport.is_closing():
            return
        if not whole:
            self._close() if cut_shows else self.transport.abort()
        elif not exchange.complete:
            self._linger()
        elif self._exchanges:
            self._worker.loop.call_soon(self._next)  # not now: a long pipeline would recurse
        elif self._refusal is not None:
            self._send_refusal()
        elif not exchange.head.keep_alive or self._worker.draining:
            self._close()
        self.resume_reading()

    def drain(self) -> None:
        """The worker ends: close as soon as nothing is in flight. Who has only just come may still ask."""
        if self._fresh:
            self._worker.loop.call_later(FRESH, self._close_if_idle)
        else:
            self._close_if_idle()

    def _close_if_idle(self) -> None:
        if not self._exchanges and not self._lingering:
            self._close()

    def check(self, now: float) -> None:
        """Called every second: close what has waited too long (`wherry.engine.host.Serving`)."""
        patience, quiet = self._worker.patience, now - self._touched
        if self._lingering:
            if quiet > patience.linger:
                self.transport.abort()
        elif self.write_paused or (not self._exchanges and self.transport.get_write_buffer_size()):
            if quiet > patience.write:
                self.transport.abort()
        elif self._head_since:
            if now - self._head_since > patience.head and not self._exchanges:
                self._refuse(Refused(408, "the request head took too long"))
        elif not self._exchanges:
            if quiet > patience.idle:
                self._close()
        elif self._reading and not self._exchanges[0].complete and quiet > patience.body:
            self._refuse(Refused(408, "the request body took too long"))

    # Ends

    def _refuse(self, refusal: Refused) -> None:
        """Answer what is before it, then say why, then close. Nothing more is read as HTTP."""
        if self._refusal is not None:
            return
        self._refusal = refusal
        self._head_since = 0.0
        self._worker.refused()
        broken, self._receiving = self._receiving, None
        if broken is not None and not broken.complete:
            if self.answers(broken):
                broken.cancel("client", refusal.status, refusal.reason)
                return
            self._exchanges.remove(broken)
            broken.drop()
        if not self._exchanges:
            self._send_refusal()

    def _send_refusal(self) -> None:
        assert self._refusal is not None  # noqa: S101 - narrows the type
        self.transport.write(wire_refusal(self._refusal, self._worker.date()))
        self._linger()

    def _linger(self) -> None:
        """Say that we are done, and let the client read it before the connection is reset."""
        self._refusal = self._refusal or NOTHING
        self._lingering = 1
        self._touched = monotonic()
        self.transport.write_eof()

    def _discard(self, count: int) -> None:
        self._lingering += count
        if self._lingering > LINGER_BYTES:
            self.transport.abort()

    def _close(self) -> None:
        self._refusal = self._refusal or NOTHING
        self.transport.close()
