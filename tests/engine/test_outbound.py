"""A command calls the hosts that its plan lists, and no other, and has no sockets."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support import guests
from tests.support.commands import ours, plan_of, wasmtime_program
from wherry.plan.ending import Ending


class Origin(ThreadingHTTPServer):
    """Answers 200 to everything and notes what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.seen: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Origin

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"answer")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def origin() -> Iterator[tuple[str, list[str]]]:
    with Origin() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", server.seen
        finally:
            server.shutdown()
            thread.join()


def test_a_listed_host_is_reached(origin: tuple[str, list[str]]) -> None:
    authority, seen = origin
    plan = replace(plan_of(guests.caller("fetch"), authority), outbound=(f"http://{authority}",))
    assert ours(plan).ending == Ending(0)
    assert seen == ["/"]


def test_a_host_that_is_not_listed_is_refused_and_the_field_to_set_is_named(origin: tuple[str, list[str]]) -> None:
    authority, seen = origin
    outcome = ours(plan_of(guests.caller("fetch"), authority))
    assert outcome.ending == Ending(1)
    assert b"spec.capabilities.outboundHTTP" in outcome.stderr
    assert seen == []


def test_a_component_opens_no_socket() -> None:
    guest = guests.caller("sockets")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        allowed = subprocess.run([wasmtime_program(), "run", "-Sinherit-network", guest, port], check=False)
        assert allowed.returncode == 0, "the guest cannot connect even where it may"
        assert ours(plan_of(guest, port)).ending == Ending(1)
