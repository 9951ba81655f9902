"""How messages are framed and passed on, over real sockets: whole, streamed, cut and smuggled."""

import asyncio
import tracemalloc
from asyncio import StreamReader, StreamWriter

import pytest

from tests.engine.egress.conftest import Run
from tests.engine.egress.origins import PATIENCE, Answer, Origin, ask, connected, head, parse, serving
from wherry.engine.egress import Egress
from wherry.engine.egress.message import HEAD_LIMIT

MIB = 1 << 20
HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def through(origin: Origin, *fields: str, line: str = "GET / HTTP/1.1", body: bytes = b"") -> Answer:
    """One request to this origin and what came of it."""
    async with serving(origin) as port:
        asked = f"http://127.0.0.1:{port}"
        async with Egress([asked], log=lambda line: None) as egress:
            return await ask(egress, head(egress, asked, *fields, line=line) + body)


@pytest.mark.parametrize(
    ("response", "body", "framing"),
    [
        (HI, b"hi", ("2", None)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", ("0", None)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", (None, None)),
        (CHUNKED + b"1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n", b"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", (None, "chunked")),
        (b"HTTP/1.0 200 OK\r\n\r\nhi", b"2\r\nhi\r\n0\r\n\r\n", (None, "chunked")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + HI, b"hi", ("2", None)),
        (HI + b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsmuggled!", b"hi", ("2", None)),
    ],
)
def test_each_way_to_end_a_body_arrives_whole(
    run: Run, response: bytes, body: bytes, framing: tuple[str | None, str | None]
) -> None:
    async def test() -> None:
        answer = await through(Origin(response))
        assert answer.body == body
        assert (answer.fields.get("content-length"), answer.fields.get("transfer-encoding")) == framing
        assert "link" not in answer.fields

    run(test())


def test_the_answer_to_head_has_a_length_and_no_body(run: Run) -> None:
    async def test() -> None:
        answer = await through(Origin(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"), line="HEAD / HTTP/1.1")
        assert (answer.status, answer.fields["content-length"], answer.body) == (200, "999", b"")

    run(test())


def test_trailers_are_passed_on_in_both_directions(run: Run) -> None:
    async def echo(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        sent = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + sent)

    async def test() -> None:
        body = b"2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n"
        async with serving(echo) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress:
                sent = head(egress, asked, "Transfer-Encoding: chunked", line="POST / HTTP/1.1") + body
                assert (await ask(egress, sent)).body == body

    run(test())


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"", "connection-terminated"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "connection-terminated"),
        (b"SSH-2.0-OpenSSH\r\n", "HTTP-protocol-error"),
        (CHUNKED + b"2\r\nhi\r\nnonsense", "HTTP-protocol-error"),
        (b"HTTP/1.1 200 OK\nA: b\n\n", "HTTP-protocol-error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "HTTP-protocol-error"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP-protocol-error"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP-protocol-error"),
        (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "HTTP-protocol-error"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 2 * HEAD_LIMIT + b"\r\n\r\n", "HTTP-response-header-section-size"),
    ],
)
def test_an_origin_that_does_not_speak_http_has_its_own_code(run: Run, response: bytes, error: str) -> None:
    async def test() -> None:
        assert (await through(Origin(response))).error == error

    run(test())


def test_an_origin_cannot_answer_in_the_proxys_name(run: Run) -> None:
    async def test() -> None:
        answer = await through(
            Origin(b"HTTP/1.1 200 OK\r\nWherry-Egress-Error: DNS-error\r\nContent-Length: 0\r\n\r\n")
        )
        assert (answer.status, answer.error) == (200, "")

    run(test())


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
    ],
)
def test_a_body_that_breaks_off_is_not_made_whole(run: Run, response: bytes) -> None:
    async def test() -> None:
        answer = await through(Origin(response))
        assert answer.status == 200
        assert len(answer.body) < 20
        assert not answer.body.endswith(b"0\r\n\r\n")

    run(test())


@pytest.mark.parametrize(
    ("line", "fields", "body"),
    [
        ("POST / HTTP/1.1", ("Content-Length: 4", "Transfer-Encoding: chunked"), b"0\r\n\r\n"),
        ("POST / HTTP/1.1", ("Content-Length: 4", "Content-Length: 5"), b"abcd"),
        ("POST / HTTP/1.1", ("Content-Length: +4",), b"abcd"),
        ("POST / HTTP/1.1", ("Transfer-Encoding: xchunked",), b"0\r\n\r\n"),
        ("POST / HTTP/1.1", ("Transfer-Encoding: gzip, chunked",), b"0\r\n\r\n"),
        ("GET / HTTP/1.1", ("A: b\r\n folded",), b""),
        ("GET / HTTP/1.1", ("A : b",), b""),
        ("GET / HTTP/1.1", ("A: b\nHost: evil.example",), b""),
        ("GET / HTTP/1.1", ("A: b\rc",), b""),
        ("GET / HTTP/1.1", ("A: b\0c",), b""),
        ("GET / HTTP/1.1", ("Connection: upgrade", "Upgrade: h2c"), b""),
        ("GET http://evil.example/ HTTP/1.1", (), b""),
        ("GET evil HTTP/1.1", (), b""),
        ("CONNECT evil.example:443 HTTP/1.1", (), b""),
        ("GET / HTTP/1.1", ("A: " + "b" * 2 * HEAD_LIMIT,), b""),
    ],
)
def test_what_two_readers_could_understand_differently_reaches_no_origin(
    run: Run, line: str, fields: tuple[str, ...], body: bytes
) -> None:
    async def test() -> None:
        origin = Origin()
        answer = await through(origin, *fields, line=line, body=body)
        assert (answer.status >= 400, origin.heads) == (True, [])

    run(test())


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ((), b"GET /second HTTP/1.1\r\n\r\n"),
        (("Content-Length: 2",), b"hiGET /second HTTP/1.1\r\n\r\n"),
        (("Transfer-Encoding: chunked",), b"2\r\nhi\r\n0\r\n\r\nGET /second HTTP/1.1\r\n\r\n"),
    ],
)
def test_a_second_request_behind_the_first_never_leaves(run: Run, fields: tuple[str, ...], body: bytes) -> None:
    async def test() -> None:
        received: list[bytes] = []
        over = asyncio.Event()

        async def listen(reader: StreamReader, writer: StreamWriter) -> None:
            received.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(HI)
            received.append(await reader.read(-1))
            over.set()

        async with serving(listen) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress:
                answer = await ask(egress, head(egress, asked, *fields, line="POST / HTTP/1.1") + body)
                async with asyncio.timeout(PATIENCE):
                    await over.wait()
        assert (answer.status, answer.body) == (200, b"hi")
        assert b"/second" not in b"".join(received)

    run(test())


def test_fields_of_the_guests_connection_stay_behind(run: Run) -> None:
    async def test() -> None:
        origin = Origin()
        fields = (
            "Connection: x-private, close",
            "X-Private: 1",
            "Proxy-Authorization: Basic x",
            "Expect: 100-continue",
        )
        await through(origin, *fields)
        assert origin.heads[0].count(b"\r\n") == 4
        assert origin.heads[0].startswith(b"GET / HTTP/1.1\r\nhost: 127.0.0.1:")
        assert origin.heads[0].endswith(b"\r\nconnection: close\r\n\r\n")

    run(test())


def test_64_mib_come_down_without_being_kept(run: Run) -> None:
    async def pour(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
        piece = bytes(1 << 16)
        for _ in range(64 * MIB // len(piece)):
            writer.write(piece)
            await writer.drain()

    async def test() -> None:
        received = 0
        async with serving(pour) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress, connected(egress) as (reader, writer):
                writer.write(head(egress, asked))
                await reader.readuntil(b"\r\n\r\n")
                tracemalloc.start()
                async with asyncio.timeout(PATIENCE):
                    while piece := await reader.read(1 << 16):
                        received += len(piece)
                kept = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
        assert received == 64 * MIB
        assert kept < 8 * MIB

    run(test())


def test_64_mib_go_up_without_being_kept(run: Run) -> None:
    async def swallow(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        swallowed = 0
        while swallowed < 64 * MIB:
            swallowed += len(await reader.read(1 << 16))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%8d" % swallowed)

    async def test() -> None:
        async with serving(swallow) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress, connected(egress) as (reader, writer):
                writer.write(head(egress, asked, f"Content-Length: {64 * MIB}", line="PUT / HTTP/1.1"))
                tracemalloc.start()
                async with asyncio.timeout(PATIENCE):
                    for _ in range(64 * MIB >> 16):
                        writer.write(bytes(1 << 16))
                        await writer.drain()
                    answer = parse(await reader.read(-1))
                kept = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
        assert answer.body == b"%8d" % (64 * MIB)
        assert kept < 8 * MIB

    run(test())


def test_an_answer_that_comes_before_the_body_is_sent_is_delivered(run: Run) -> None:

    async def test() -> None:
        seen = asyncio.Event()

        async def refuse(reader: StreamReader, writer: StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
            await seen.wait()

        async with serving(refuse) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress, connected(egress) as (reader, writer):
                writer.write(head(egress, asked, f"Content-Length: {32 * MIB}", line="PUT / HTTP/1.1"))
                writer.write(bytes(32 * MIB))
                async with asyncio.timeout(PATIENCE):
                    assert parse(await reader.readuntil(b"\r\n\r\n")).status == 413
                seen.set()

    run(test())


def test_trailers_without_end_are_refused(run: Run) -> None:
    async def test() -> None:
        lines: list[str] = []
        trailers = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(400))
        response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n" + trailers + b"\r\n"
        async with serving(Origin(response)) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=lines.append) as egress:
                answer = await ask(egress, head(egress, asked))
        assert (answer.status, answer.body) == (200, b"2\r\nhi\r\n")
        assert lines == [f"outbound GET {asked} failed: a head or trailers of more than {HEAD_LIMIT} bytes"]

    run(test())


def test_a_first_chunk_arrives_before_the_origin_has_sent_the_second(run: Run) -> None:
    async def test() -> None:
        seen = asyncio.Event()

        async def two_steps(reader: StreamReader, writer: StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
            await seen.wait()
            writer.write(b"b")

        async with serving(two_steps) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress, connected(egress) as (reader, writer):
                writer.write(head(egress, asked))
                async with asyncio.timeout(PATIENCE):
                    assert (await reader.readuntil(b"a")).endswith(b"\r\n\r\na")
                    seen.set()
                    assert await reader.read(-1) == b"b"

    run(test())
