"""Origins on loopback, and a guest's side that speaks to the egress proxy in raw bytes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wherry.engine.egress import Egress

PATIENCE = 60.0
"""Seconds after which a test that waits for an event has failed."""

Handler = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@dataclass
class Answer:
    """An HTTP response as bytes: the head's first line and fields, and everything after it."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        return self.fields.get("wherry-egress-error", "")


@dataclass
class Origin:
    """Answers every request with `response` and remembers what it was sent, head first."""

    response: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    heads: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.response)
        await writer.drain()


@contextlib.asynccontextmanager
async def serving(handler: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port where handler serves each connection, which is closed after it; at the end, all are cut."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await handler(reader, writer)
            writer.close()
            await writer.wait_closed()
        finally:
            writer.transport.abort()

    def accept(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def head(egress: Egress, origin: str, *fields: str, line: str = "GET /path?q=1 HTTP/1.1") -> bytes:
    """The head that the adapter would send."""
    ours = [f"wherry-egress-secret: {egress.secret}", f"wherry-egress-origin: {origin}", "host: 127.0.0.1"]
    return "\r\n".join([line, *ours, *fields, "", ""]).encode("latin-1")


@contextlib.asynccontextmanager
async def connected(egress: Egress) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """The guest's side of one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", egress.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ask(egress: Egress, sent: bytes) -> Answer:
    """Send these bytes and read the answer to its end."""
    async with connected(egress) as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(PATIENCE):
            return parse(await reader.read(-1))


def parse(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    pairs = (text.partition(": ") for text in fields)
    return Answer(int(line.split()[1]), {name.lower(): value for name, _, value in pairs}, body)


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """A server context with a self-signed certificate for these names, and the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, private = folder / "origin.pem", folder / "origin.key"
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*pkcs8))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, private)
    return context, path


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
