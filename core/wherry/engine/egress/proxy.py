"""The listener on loopback: who may speak to it, how many at once, and how an exchange ends."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Sequence

from wherry.engine.egress.connect import Resolve, connect, system_resolver
from wherry.engine.egress.exchange import Exchange
from wherry.engine.egress.failure import ClientGone, Failure
from wherry.engine.egress.message import PIECE, Request
from wherry.engine.egress.policy import asked_origin, grant_for
from wherry.spec.origin import MAX_ORIGIN, Origin, parse_origin

SECRET = b"wherry-egress-secret"
ORIGIN = b"wherry-egress-origin"
LOOPBACK = "127.0.0.1"
HEAD_TIMEOUT = 10.0
"""Seconds for a request's head to arrive from this same machine."""
LINGER = 5.0
"""Seconds for the guest's side to take the end of an answer and close."""
CONNECTIONS = 256
"""Exchanges at once; a guest that opens more is told so."""
STRANGERS = 64
"""Connections beyond those that may be open without a request: other programs of this host can connect too."""


class Egress:
    """One worker's way out. origins: as in a RunPlan. log: takes one line. timeout: seconds for one exchange from
    head to last byte; None is no limit.

    Use it inside a running loop, `async with Egress(...) as egress`; `port` and `secret` are what the adapter needs.
    TLS certificates are checked against the system's authorities, or those of `$SSL_CERT_FILE` and `$SSL_CERT_DIR`.
    """

    def __init__(
        self,
        origins: Sequence[str],
        *,
        log: Callable[[str], None],
        timeout: float | None = None,
        resolve: Resolve = system_resolver,
    ) -> None:
        self.secret = secrets.token_hex(16)
        self.port = 0
        self._granted = tuple(parse_origin(text) for text in origins)
        self._log = log
        self._timeout = timeout
        self._resolve = resolve
        self._tls = _tls_for(self._granted)
        self._exchanges: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Egress:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0, limit=PIECE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and cut what is still going on."""
        if self._server is not None:
            self._server.close()
        for exchange in self._exchanges:
            exchange.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        if len(self._exchanges) >= CONNECTIONS + STRANGERS:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._exchanges.add(task)
        task.add_done_callback(self._exchanges.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(ClientGone, ConnectionError):
            try:
                await self._answer(reader, writer)
            finally:
                writer.transport.abort()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        request = Request(reader)
        exchange = Exchange(request, (reader, writer))
        try:
            async with asyncio.timeout(self._timeout):
                await self._pass(request, exchange)
        except TimeoutError:
            failure = Failure("HTTP-response-timeout", "the time is over", status=504)
        except Failure as caught:
            failure = caught
        else:
            await _finish(reader, writer)
            return
        self._report(request, failure)
        if not exchange.answered:
            writer.write(failure.answer)
        await _finish(reader, writer)

    async def _pass(self, request: Request, exchange: Exchange) -> None:
        await _read_head(request)
        if not self._authorised(request):
            raise Failure("", status=403)
        if self._under_way >= CONNECTIONS:
            raise Failure("connection-limit-reached", f"{CONNECTIONS} requests are under way already", status=503)
        self._under_way += 1
        try:
            await self._forward(request, exchange)
        finally:
            self._under_way -= 1

    async def _forward(self, request: Request, exchange: Exchange) -> None:
        if not request.target.startswith(b"/") and request.target != b"*":
            raise Failure("HTTP-request-URI-invalid", "a target that is no path", status=400)
        asked = asked_origin(b",".join(request.values(ORIGIN)).decode("latin-1"))
        grant = grant_for(asked, self._granted)
        reader, writer = await connect(asked, grant, self._resolve, self._tls)
        try:
            await exchange.run(str(asked).partition("://")[2].encode(), (reader, writer))
        finally:
            writer.transport.abort()

    def _authorised(self, request: Request) -> bool:
        return hmac.compare_digest(b",".join(request.values(SECRET)), self.secret.encode())

    def _report(self, request: Request, failure: Failure) -> None:
        """One line; nothing for strangers, who could fill the log."""
        if not self._authorised(request):
            return
        origin = b",".join(request.values(ORIGIN)).decode("ascii", "backslashreplace")[:MAX_ORIGIN]
        outcome = "refused" if failure.denied else "failed"
        self._log(f"outbound {request.method.decode()} {origin} {outcome}: {failure.sentence}")


async def _read_head(request: Request) -> None:
    try:
        async with asyncio.timeout(HEAD_TIMEOUT):
            await request.read_head()
    except TimeoutError:
        raise Failure("", status=408) from None


async def _finish(reader: StreamReader, writer: StreamWriter) -> None:
    """Close so that the other side can read all of it: a close over unread bytes resets (RFC 9112 §9.6)."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(LINGER):
            writer.write_eof()
            while await reader.read(PIECE):
                pass


def _tls_for(granted: Sequence[Origin]) -> ssl.SSLContext | None:
    if all(origin.scheme == "http" for origin in granted):
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
