"""Who may use the way out, for how long and how many at once, over real sockets."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter

import pytest

from tests.engine.egress.conftest import Run
from tests.engine.egress.origins import PATIENCE, Origin, ask, connected, head, parse, serving
from wherry.engine.egress import Egress, egress_thread


def test_an_allowed_request_reaches_its_origin_and_the_answer_comes_back(run: Run) -> None:
    async def test() -> None:
        origin = Origin(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Own: 1\r\nKeep-Alive: 5\r\n\r\nhi")
        lines: list[str] = []
        async with serving(origin) as port, Egress([f"http://127.0.0.1:{port}"], log=lines.append) as egress:
            answer = await ask(egress, head(egress, f"http://127.0.0.1:{port}", "Accept: text/plain", "TE: trailers"))
        assert (answer.status, answer.body, answer.error) == (201, b"hi", "")
        assert answer.fields == {"x-own": "1", "content-length": "2", "connection": "close"}
        assert origin.heads == [
            b"GET /path?q=1 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nAccept: text/plain\r\nconnection: close\r\n\r\n" % port
        ]
        assert lines == []

    run(test())


def test_a_refused_request_is_logged_with_the_line_to_add_and_reaches_nobody(run: Run) -> None:
    async def test() -> None:
        lines: list[str] = []
        async with Egress(["https://api.example.com"], log=lines.append) as egress:
            answer = await ask(egress, head(egress, "https://evil.example"))
        assert (answer.status, answer.error) == (403, "HTTP-request-denied")
        assert lines == [
            'outbound GET https://evil.example refused: add "https://evil.example" to spec.capabilities.outboundHTTP'
        ]

    run(test())


@pytest.mark.parametrize("field", ["wherry-egress-secret: 0", "x: y"])
def test_without_the_one_secret_nothing_is_told_or_logged(run: Run, field: str) -> None:
    async def test() -> None:
        lines: list[str] = []
        async with Egress(["https://*.example.com"], log=lines.append) as egress:
            answer = await ask(
                egress, f"GET / HTTP/1.1\r\n{field}\r\nwherry-egress-origin: http://a.example.com\r\n\r\n".encode()
            )
        assert (answer.status, answer.error, lines) == (403, "", [])

    run(test())


def test_a_secret_that_is_given_twice_is_wrong(run: Run) -> None:
    async def test() -> None:
        async with Egress(["http://127.0.0.1:1"], log=print) as egress:
            answer = await ask(egress, head(egress, "http://127.0.0.1:1", f"wherry-egress-secret: {egress.secret}"))
        assert (answer.status, answer.error) == (403, "")

    run(test())


def test_a_head_that_does_not_come_is_not_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.engine.egress.proxy.HEAD_TIMEOUT", 0.05)

    async def test() -> None:
        async with Egress(["http://a.example"], log=print) as egress:
            assert (await ask(egress, b"GET / HT")).status == 408

    run(test())


def test_an_egress_that_cannot_listen_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.engine.egress.proxy.LOOPBACK", "203.0.113.1")
    with pytest.raises(OSError, match=r"203\.0\.113\.1"), egress_thread([], log=print):
        pass


def test_an_origin_that_drips_is_cut_at_the_deadline(run: Run) -> None:
    async def drip(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1\r\n.\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def test() -> None:
        lines: list[str] = []
        async with serving(drip) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=lines.append, timeout=2.0) as egress, connected(egress) as (reader, writer):
                writer.write(head(egress, asked))
                async with asyncio.timeout(PATIENCE):
                    raw = await read_what_comes(reader)
        assert parse(raw).status == 200
        assert not raw.endswith(b"0\r\n\r\n")
        assert lines == [f"outbound GET {asked} failed: the time is over"]

    run(test())


async def read_what_comes(reader: StreamReader) -> bytes:
    """Everything up to the end of the connection, whether it was closed or reset."""
    read = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            read += piece
    return read


def test_an_origin_that_never_answers_is_a_timeout(run: Run) -> None:
    async def mute(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(-1)

    async def test() -> None:
        async with serving(mute) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=lambda line: None, timeout=0.2) as egress:
                answer = await ask(egress, head(egress, asked))
        assert (answer.status, answer.error) == (504, "HTTP-response-timeout")

    run(test())


def test_a_guest_that_goes_away_closes_the_origins_connection(run: Run) -> None:
    async def test() -> None:
        arrived, gone = asyncio.Event(), asyncio.Event()

        async def waiting(reader: StreamReader, writer: StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            arrived.set()
            with contextlib.suppress(ConnectionError):
                await reader.read(-1)
            gone.set()

        async with serving(waiting) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress:
                async with connected(egress) as (_, writer), asyncio.timeout(PATIENCE):
                    writer.write(head(egress, asked))
                    await arrived.wait()
                async with asyncio.timeout(PATIENCE):
                    await gone.wait()

    run(test())


def test_more_requests_at_once_than_allowed_are_told_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.engine.egress.proxy.CONNECTIONS", 1)

    async def test() -> None:
        arrived = asyncio.Event()

        async def waiting(reader: StreamReader, writer: StreamWriter) -> None:
            arrived.set()
            await reader.read(-1)

        async with serving(waiting) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress, connected(egress) as (_, writer):
                writer.write(head(egress, asked))
                async with asyncio.timeout(PATIENCE):
                    await arrived.wait()
                assert (await ask(egress, head(egress, asked))).error == "connection-limit-reached"

    run(test())


def test_strangers_who_only_connect_take_no_place_of_a_guest(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.engine.egress.proxy.CONNECTIONS", 1)
    monkeypatch.setattr("wherry.engine.egress.proxy.STRANGERS", 2)

    async def test() -> None:
        async with serving(Origin()) as port:
            asked = f"http://127.0.0.1:{port}"
            async with Egress([asked], log=print) as egress, connected(egress), connected(egress):
                assert (await ask(egress, head(egress, asked))).status == 200

    run(test())


def test_more_strangers_than_there_is_room_for_are_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.engine.egress.proxy.CONNECTIONS", 1)
    monkeypatch.setattr("wherry.engine.egress.proxy.STRANGERS", 0)

    async def test() -> None:
        async with Egress(["http://a.example"], log=print) as egress, connected(egress), connected(egress) as (late, _):
            async with asyncio.timeout(PATIENCE):
                assert await read_what_comes(late) == b""

    run(test())


def test_a_command_has_its_egress_in_a_thread(run: Run) -> None:
    async def test() -> None:
        async with serving(Origin()) as port:
            asked = f"http://127.0.0.1:{port}"
            with egress_thread([asked], log=print) as egress:
                assert (await ask(egress, head(egress, asked))).body == b"hi"
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", egress.port)

    run(test())
