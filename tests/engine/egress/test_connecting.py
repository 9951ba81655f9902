"""From a name to a connection: addresses, certificates, and what the network does instead, over real sockets."""

import asyncio
import contextlib
import socket
from asyncio import StreamReader, StreamWriter
from pathlib import Path

import pytest

from tests.engine.egress.conftest import Run
from tests.engine.egress.origins import Origin, ask, certificate, head, serving
from wherry.engine.egress import Egress


def test_a_wildcard_that_leads_to_a_private_address_is_refused(run: Run) -> None:
    async def resolve(host: str) -> list[str]:
        return ["10.9.8.7"]

    async def test() -> None:
        lines: list[str] = []
        async with Egress(["http://*.example.com"], log=lines.append, resolve=resolve) as egress:
            answer = await ask(egress, head(egress, "http://inside.example.com"))
        assert (answer.status, answer.error) == (403, "destination-IP-prohibited")
        assert lines == [
            "outbound GET http://inside.example.com refused: 10.9.8.7 is private, which a wildcard does not admit:"
            " write the host in full in spec.capabilities.outboundHTTP"
        ]

    run(test())


def test_a_host_in_full_may_be_private(run: Run) -> None:
    own = private_address()

    async def resolve(host: str) -> list[str]:
        return [own]

    async def test() -> None:
        origin = Origin()
        async with serving(origin, own) as port:
            asked = f"http://orders.shop.svc:{port}"
            async with Egress([asked], log=print, resolve=resolve) as egress:
                answer = await ask(egress, head(egress, asked))
        assert (answer.status, answer.body) == (200, b"hi")
        assert b"host: orders.shop.svc:%d\r\n" % port in origin.heads[0]

    run(test())


def private_address() -> str:
    """An address of this machine that is private; connecting a datagram socket sends nothing."""
    for family, far in ((socket.AF_INET, "10.255.255.255"), (socket.AF_INET6, "fd00:ffff::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.connect((far, 9))
            own = str(probe.getsockname()[0])
            if own.startswith(("10.", "172.", "192.168.", "fd")):
                return own
    pytest.skip("this machine has no private address: give an interface one, such as 10.0.0.2")


def test_a_name_is_resolved_once_and_only_its_checked_address_is_connected_to(run: Run) -> None:
    asked_for: list[str] = []

    async def resolve(host: str) -> list[str]:
        asked_for.append(host)
        return ["169.254.169.254", "127.0.0.1"] if len(asked_for) == 1 else ["169.254.169.254"]

    async def test() -> None:
        lines: list[str] = []
        async with serving(Origin()) as port:
            asked = f"http://localhost:{port}"
            async with Egress([asked], log=lines.append, resolve=resolve) as egress:
                first = await ask(egress, head(egress, asked))
                second = await ask(egress, head(egress, asked))
        assert (first.status, second.error) == (200, "destination-IP-prohibited")
        assert asked_for == ["localhost", "localhost"]
        assert len(lines) == 1

    run(test())


def test_an_address_that_refuses_is_followed_by_the_next(run: Run) -> None:
    async def resolve(host: str) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async def test() -> None:
        async with serving(Origin()) as port:
            asked = f"http://localhost:{port}"
            async with Egress([asked], log=print, resolve=resolve) as egress:
                assert (await ask(egress, head(egress, asked))).status == 200

    run(test())


def test_what_goes_wrong_on_the_network_has_its_own_code(run: Run) -> None:
    async def silent(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def hang_up(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async def test() -> None:
        lines: list[str] = []
        async with serving(hang_up) as port:
            closed, named = "http://127.0.0.1:1", f"http://127.0.0.1:{port}"
            async with Egress(["http://a.example", closed, named], log=lines.append, resolve=silent) as egress:
                found = [
                    (await ask(egress, head(egress, asked))).error for asked in ("http://a.example", closed, named)
                ]
        assert found == ["DNS-error", "connection-refused", "connection-terminated"]
        assert lines[1] == "outbound GET http://127.0.0.1:1 failed: connection refused"

    run(test())


def test_what_takes_too_long_has_its_own_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.engine.egress.connect.RESOLVE_TIMEOUT", 0.05)
    monkeypatch.setattr("wherry.engine.egress.connect.CONNECT_TIMEOUT", 0.05)

    async def never(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    async def mute(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(-1)

    async def test() -> None:
        async with serving(mute) as port:
            origins = ["http://a.example", f"https://127.0.0.1:{port}"]
            async with Egress(origins, log=lambda line: None, resolve=never) as egress:
                answers = [await ask(egress, head(egress, asked)) for asked in origins]
        assert [(answer.status, answer.error) for answer in answers] == [
            (504, "DNS-timeout"),
            (504, "connection-timeout"),
        ]

    run(test())


def test_an_address_that_cannot_be_reached_is_unavailable(run: Run) -> None:
    async def test() -> None:
        asked = "http://255.255.255.255:9"  # broadcast, which TCP has not: nothing is sent
        async with Egress([asked], log=lambda line: None) as egress:
            assert (await ask(egress, head(egress, asked))).error == "destination-unavailable"

    run(test())


def test_a_connection_that_closes_instead_of_shaking_hands_is_terminated(run: Run) -> None:
    async def close(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readexactly(1)

    async def test() -> None:
        async with serving(close) as port:
            asked = f"https://127.0.0.1:{port}"
            async with Egress([asked], log=lambda line: None) as egress:
                assert (await ask(egress, head(egress, asked))).error in {"connection-terminated", "TLS-protocol-error"}

    run(test())


def test_a_trusted_certificate_is_accepted_for_its_own_name_only(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def test() -> None:
        lines: list[str] = []
        origin = Origin()
        async with serving(origin, tls=context) as port:
            good, wrong = f"https://localhost:{port}", f"https://127.0.0.1:{port}"
            async with Egress([good, wrong], log=lines.append) as egress:
                answers = [await ask(egress, head(egress, asked)) for asked in (good, wrong)]
        assert (answers[0].status, answers[0].body) == (200, b"hi")
        assert answers[1].error == "TLS-certificate-error"
        assert len(origin.heads) == 1
        assert "127.0.0.1" in lines[0]

    run(test())


def test_a_certificate_that_nobody_trusts_is_refused(run: Run, tmp_path: Path) -> None:
    context, _ = certificate(tmp_path, "localhost")

    async def test() -> None:
        async with serving(Origin(), tls=context) as port:
            asked = f"https://localhost:{port}"
            async with Egress([asked], log=lambda line: None) as egress:
                assert (await ask(egress, head(egress, asked))).error == "TLS-certificate-error"

    run(test())


def test_an_origin_without_tls_is_a_protocol_error(run: Run) -> None:
    async def chatty(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read(-1)

    async def test() -> None:
        async with serving(chatty) as port:
            asked = f"https://localhost:{port}"
            async with Egress([asked], log=lambda line: None) as egress:
                assert (await ask(egress, head(egress, asked))).error == "TLS-protocol-error"

    run(test())
