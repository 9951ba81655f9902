"""What the hostile registry's answers are made with: its honest artifact, its log, and one request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.artifacts import MODULE, cncf

WASM = MODULE + b"\0\xad\x02\0" + bytes(300)
"""A module with a long custom section, so that its body can be cut."""
GOOD = cncf(WASM)
CONFIG = GOOD.blobs[0]
MANIFEST_FIELDS: dict[str, Any] = json.loads(GOOD.manifest.data)
DRIP = 0.2
"""Seconds between two bytes of a server that holds on to us."""


@dataclass(frozen=True)
class Seen:
    """One request. server: `registry` or `other`."""

    server: str
    method: str
    path: str
    authorization: str


@dataclass
class Hostile:
    """host: the registry, as references write it. other: a server elsewhere, which must never see a credential."""

    host: str
    other: str
    seen: list[Seen] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def places(self) -> dict[str, str]:
        """For templates. neighbour: the other server under the registry's own host name."""
        return {"host": self.host, "other": self.other, "neighbour": f"localhost:{self.other.partition(':')[2]}"}


class Handler(BaseHTTPRequestHandler):
    """One request, answered by what its case says."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    hostile: Hostile
    role: str
    answer: Callable[[Handler], None]

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        self.hostile.seen.append(Seen(self.role, self.command, self.path, self.headers.get("Authorization", "")))
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(self)

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - http.server's names

    def reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """A whole answer; a header of None's value is left out."""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | dict(headers or {})).items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def cut(self) -> None:
        """End the connection here."""
        self.close_connection = True
        self.connection.shutdown(2)

    def drip(self, endless: bytes) -> None:
        """A byte now and then, until the test is over or the client has gone."""
        while not self.hostile.over.wait(DRIP):
            self.wfile.write(endless)
            self.wfile.flush()
