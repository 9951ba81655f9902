"""A guest's own requests: through the adapter, the host's HTTP client and the egress proxy, to a real origin."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.support import guests
from tests.support.composed import Request, ask
from wherry.engine.egress import Egress


@dataclass
class Origin:
    """An origin server; seen: the fields of its requests."""

    port: int = 0
    seen: list[dict[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def origin() -> Iterator[Origin]:
    here = Origin()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(f"{self.command} {self.path}".encode())

        def do_POST(self) -> None:
            size, body = int(self.rfile.readline(), 16), b""
            while size:
                body += self.rfile.read(size + 2)[:size]
                size = int(self.rfile.readline(), 16)
            self._answer(f"{self.command} {self.path} {body.decode()}".encode())

        def _answer(self, body: bytes) -> None:
            here.seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("x-origin", "yes")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        here.port = server.server_port
        yield here
        server.shutdown()
        thread.join()


@contextmanager
def egress(*origins: str) -> Iterator[str]:
    """A running proxy that admits these; what the host answers to the adapter."""
    loop, ready, done = asyncio.new_event_loop(), Event(), asyncio.Event()
    told: list[str] = []

    async def serve() -> None:
        async with Egress(origins, log=lambda _line: None) as proxy:
            told.append(f"{proxy.port}\n{proxy.secret}\n60000")
            ready.set()
            await done.wait()

    thread = Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(60)
    try:
        yield told[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


@pytest.fixture
def guest() -> Path:
    return guests.http("outbound")


def test_a_granted_origin_answers(guest: Path, origin: Origin) -> None:
    with egress(origin.name) as told:
        answer = ask(guest, Request(f"/{origin.name}/path?q=1", egress=told), "http-outbound")

    assert (answer.status, answer.body) == (b"200", b"GET /path?q=1")


def test_the_origin_sees_nothing_of_the_proxy(guest: Path, origin: Origin) -> None:
    with egress(origin.name) as told:
        ask(guest, Request(f"/{origin.name}/", egress=told), "http-outbound")

    assert origin.seen[0]["host"] == f"127.0.0.1:{origin.port}"
    assert not [name for name in origin.seen[0] if name.startswith("wherry-")]


def test_an_origin_that_is_not_granted_is_an_error_code(guest: Path, origin: Origin) -> None:
    with egress("http://granted.test") as told:
        answer = ask(guest, Request(f"/{origin.name}/", egress=told), "http-outbound")

    assert answer.body == b"refused with error-code 15\n"
    assert origin.seen == []


def test_an_origin_that_is_not_there_is_connection_refused(guest: Path) -> None:
    gone = "http://127.0.0.1:1"
    with egress(gone) as told:
        answer = ask(guest, Request(f"/{gone}/", egress=told), "http-outbound")

    assert answer.body == b"refused with error-code 6\n"


def test_a_guest_never_sees_the_proxys_failure_as_a_response(guest: Path) -> None:
    with egress("http://granted.test") as told:
        port = told.partition("\n")[0]
        answer = ask(guest, Request(f"/http://127.0.0.1:{port}/", egress=told), "http-outbound")

    assert answer.body == b"refused with error-code 15\n"


def test_without_a_grant_no_request_leaves(guest: Path, origin: Origin) -> None:
    answer = ask(guest, Request(f"/{origin.name}/"))

    assert answer.body == b"refused with error-code 15\n"
    assert f'add "{origin.name}" to spec.capabilities.outboundHTTP' in answer.log
    assert origin.seen == []


def test_a_body_goes_out_and_an_answer_comes_back(types: Path, origin: Origin) -> None:
    with egress(origin.name) as told:
        answer = ask(types, Request(f"/call/127.0.0.1:{origin.port}", egress=told), "http-outbound")

    assert answer.lines == [
        "finish: 0",
        "ready: 1",
        "failed: 0",
        "status: 200",
        "get x-origin: yes",
        "append x: error 2",
        "again failed: 1",
        "consume again: 1",
        "POST /post payload",
    ]


def test_fields_that_pass_for_ours_are_taken_from_the_guest(types: Path, origin: Origin) -> None:
    with egress(origin.name) as told:
        ask(types, Request(f"/call/127.0.0.1:{origin.port}", egress=told), "http-outbound")

    assert origin.seen[0]["x-mine"] == "1"
    assert not [name for name in origin.seen[0] if name.startswith("wherry-")]


def test_an_origin_cannot_change_once_the_body_was_asked_for(types: Path, origin: Origin) -> None:
    with egress(origin.name) as told:
        answer = ask(types, Request(f"/moved/127.0.0.1:{origin.port}", egress=told), "http-outbound")

    assert answer.lines == ["failed: 1", "code: 19"]


def test_the_rest_of_the_interface_is_the_same_with_a_grant(types: Path) -> None:
    for path in ("/fields", "/request", "/options", "/client", "/response", "/poll"):
        assert (
            ask(types, Request(path, egress="1\nsecret\n0"), "http-outbound").lines == ask(types, Request(path)).lines
        )
