"""Bytes to and from the API server: one session, a bound on what is under way, a deadline on everything."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from wherry import __version__
from wherry.cluster.credentials import Credentials
from wherry.cluster.failures import ClusterError, Unauthenticated, Unreachable, failure
from wherry.cluster.request import METHODS, Request
from wherry.cluster.sockets import Sockets
from wherry.errors import InputError

AT_ONCE = 16
"""Requests under way, watches apart: what one client may ask before the API server makes it wait."""
CONNECT, ANSWER = 5.0, 30.0
"""Seconds for a connection, and for a whole answer."""
BUFFER = 1 << 16
Record = Callable[[str, str, int], None]
"""Told of every answer: verb, resource, status; 0 for none."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """How another client reaches the same API server as the same user; "" for what is not used."""

    server: str
    ca_file: str
    certificate: str
    key: str
    token: str


class Connection:
    """Belongs to one event loop; made by `connect`."""

    def __init__(self, client: ApiClient, credentials: Credentials, program: str, record: Record) -> None:
        self._client = client
        self._program = f"{program}/{__version__}"
        self._credentials = credentials
        self._record = record
        self._places = asyncio.Semaphore(AT_ONCE)

    async def way_in(self) -> WayIn:
        """As of now: tokens are renewed. Raises InputError when the credentials cannot be read any more."""
        known = self._client.configuration
        await self._credentials.refresh(known, refused=True)
        token = known.api_key.get("BearerToken", "").removeprefix("Bearer ")
        return WayIn(known.host, known.ssl_ca_cert or "", known.cert_file or "", known.key_file or "", token)

    async def ask(self, request: Request, within: float = ANSWER, *, queued: bool = True) -> Any:
        """The answer's JSON. Raises a ClusterError; one attempt, but for a token that has just been renewed.

        within: seconds for the answer. queued: False for what must not wait behind others.
        """
        async with self._places if queued else nullcontext():
            try:
                return await self._ask(request, within)
            except Unauthenticated:
                await self._refresh(refused=True)
                return await self._ask(request, within)

    @asynccontextmanager
    async def stream(self, request: Request, silence: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """Chunks of an answer that goes on. silence: seconds without a byte after which the other end is lost."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=silence)
        try:
            response = await self._send(request, timeout)
            try:
                await self._check(request, response)
                yield response.content.iter_any()
            finally:
                _abandon(response)
        except Unauthenticated:
            await self._refresh(refused=True)
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _lost(request, error) from error

    async def _ask(self, request: Request, within: float) -> Any:
        timeout = aiohttp.ClientTimeout(total=within, sock_connect=CONNECT)
        try:
            response = await self._send(request, timeout)
            async with response:
                await self._check(request, response)
                return json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _lost(request, error) from error

    async def _send(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        headers = {"User-Agent": self._program, "Accept": request.accept, "Accept-Encoding": "identity"}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        configuration = self._client.configuration
        await self._refresh()
        query = list(request.query.items())
        auth = ["BearerToken"]
        await self._client.update_params_for_auth(headers, query, auth, request.path, request.verb, request.body)
        url = configuration.host + request.path
        if query:
            url += "?" + self._client.parameters_to_url_query(query, {})
        answer = await self._client.rest_client.request(
            METHODS[request.verb], url, headers=headers, body=request.body, _request_timeout=limits
        )
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _refresh(self, *, refused: bool = False) -> None:
        """Credentials that cannot be read for a moment are a failure of the request, and no reason to end."""
        try:
            await self._credentials.refresh(self._client.configuration, refused=refused)
        except InputError as error:
            raise Unauthenticated(error.message, cure=error.cure) from error

    async def _check(self, request: Request, response: aiohttp.ClientResponse) -> None:
        self._record(request.verb, request.resource.plural, response.status)
        if response.status >= 300:
            raise failure(request, response.status, response.headers, await response.read())


@asynccontextmanager
async def connect(
    credentials: Credentials, program: str, record: Record = lambda *_: None
) -> AsyncIterator[Connection]:
    """program: as the audit log is to name us. Nothing is asked yet.

    Raises InputError when the credentials cannot be read.
    """
    configuration = Configuration()
    await credentials.configure(configuration)
    client, sockets = ApiClient(configuration), Sockets()
    connector = aiohttp.TCPConnector(
        limit=0, ssl=client.rest_client.ssl_context, keepalive_timeout=30.0, socket_factory=sockets
    )
    configuration.client_session_kwargs = {
        "connector": connector,
        "read_bufsize": BUFFER,
        "trust_env": _goes_through_a_proxy(configuration.host),
    }
    try:
        yield Connection(client, credentials, program, record)
    finally:
        await client.close()
        await connector.close()
        await sockets.close()


def _goes_through_a_proxy(server: str) -> bool:
    """By the environment; where there is none, no request need look for one, nor for a password in ~/.netrc."""
    url = urlsplit(server)
    return url.scheme in getproxies() and not proxy_bypass(url.hostname or "")


def _abandon(response: aiohttp.ClientResponse) -> None:
    """Without the farewells of TLS, for which nobody would wait."""
    if response.connection and response.connection.transport:
        response.connection.transport.abort()
    response.close()


def _lost(request: Request, error: Exception) -> ClusterError:
    if isinstance(error, aiohttp.ClientConnectorError) and error.errno:
        reason = os.strerror(error.errno) if error.errno > 0 else error.strerror  # below 0 are those of the resolver
        return Unreachable(f"{request}: {error.host}:{error.port}: {reason}")
    if isinstance(error, TimeoutError):
        return Unreachable(f"{request}: the API server did not answer in time")
    return Unreachable(f"{request}: the connection to the API server failed: {error or type(error).__name__}")
