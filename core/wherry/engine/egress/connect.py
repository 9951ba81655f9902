"""From an origin to an open connection: one resolution, and only addresses that were checked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TypeAlias

from wherry.engine.egress.failure import Failure
from wherry.engine.egress.message import PIECE
from wherry.engine.egress.policy import admitted
from wherry.spec.origin import Origin

Resolve: TypeAlias = Callable[[str], Awaitable[list[str]]]
Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]

RESOLVE_TIMEOUT = 5.0
CONNECT_TIMEOUT = 10.0
"""Seconds for one address: TCP and TLS together."""
ADDRESSES = 4
"""Addresses of one host that are tried."""


async def system_resolver(host: str) -> list[str]:
    """The addresses of a name by the system's resolver, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(asked: Origin, grant: Origin, resolve: Resolve, tls: ssl.SSLContext | None) -> Streams:
    """A connection to the origin that was asked for, under its grant. Raises Failure."""
    host = asked.host.strip("[]")
    addresses = admitted(grant, await _addresses(host, resolve))
    for address in addresses[:ADDRESSES]:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await _open(address, asked, host, tls)
        except OSError as fault:
            failure = _failure(fault)
    raise failure


async def _open(address: str, asked: Origin, host: str, tls: ssl.SSLContext | None) -> Streams:
    if asked.scheme == "http":
        return await asyncio.open_connection(address, asked.port, limit=PIECE)
    return await asyncio.open_connection(address, asked.port, limit=PIECE, ssl=tls, server_hostname=host)


async def _addresses(host: str, resolve: Resolve) -> list[str]:
    if _is_address(host):
        return [host]
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT):
            return await resolve(host)
    except TimeoutError:
        raise Failure("DNS-timeout", f"no answer for the name {host}", status=504) from None
    except (OSError, UnicodeError) as fault:
        raise Failure("DNS-error", f"no address for the name {host} ({fault})") from None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _failure(fault: OSError) -> Failure:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return Failure("TLS-certificate-error", f"certificate refused: {fault.verify_message}")
    if isinstance(fault, ssl.SSLError):
        return Failure("TLS-protocol-error", f"no TLS: {fault.reason}")
    if isinstance(fault, ConnectionRefusedError):
        return Failure("connection-refused", "connection refused")
    if isinstance(fault, TimeoutError):
        return Failure("connection-timeout", "no connection in time", status=504)
    if isinstance(fault, ConnectionError):
        return Failure("connection-terminated", "the connection was closed while it opened")
    return Failure("destination-unavailable", str(fault))
