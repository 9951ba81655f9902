"""A served plan in a process of its own, as `wherry run` would serve it, and raw sockets to talk to it."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from wherry.engine.metering import attach

PATIENCE = 120.0
"""Seconds until a test gives up on a busy machine."""

_PROGRAM = """
import json, sys
from pathlib import Path
from wherry.engine.host import Host, Serving
from wherry.engine.run import run
from wherry.plan.model import Limits, Mount, RunPlan, WasmFile

def plan_of(given):
    wasm, limits = WasmFile(*given.pop("wasm")), Limits(**({"timeout": 30.0} | given.pop("limits", {})))
    env = tuple(map(tuple, given.pop("env", ())))
    mounts = tuple(Mount(*mount) for mount in given.pop("mounts", ()))
    outbound = tuple(given.pop("outbound", ()))
    return RunPlan("http", wasm, env=env, mounts=mounts, outbound=outbound, limits=limits, **given)

def reloaded():
    if not watched or not watched.exists():
        return None
    text = watched.read_text()
    watched.unlink()
    return plan_of(json.loads(text))

given = json.loads(sys.argv[1])
watched = Path(given["watch"]) if given["watch"] else None
host = Host(serving=Serving(**given["serving"]), cache=Path(given["cache"]), metrics=Path(given["metrics"]),
            report=lambda line: print(line, file=sys.stderr, flush=True), **given["host"])
ending = run(plan_of(given["plan"]), host, reloaded)
sys.exit(ending.code)
"""

_URL = re.compile(r"serving on http://(\[?[^\]]+\]?):(\d+)")


@dataclass
class Settings:
    """plan, host, serving: fields that differ from the defaults."""

    wasm: Path
    folder: Path
    plan: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)
    serving: dict[str, Any] = field(default_factory=dict)


def plan_json(wasm: Path, plan: dict[str, Any]) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(wasm.read_bytes()).hexdigest()}"
    return {"wasm": [str(wasm), digest], **plan}


class Server:
    """A running server. `log` grows; `port` is where it listens."""

    def __init__(self, settings: Settings, before: str = "") -> None:
        self.settings = settings
        self.watched = settings.folder / "plan.json"
        self.log: list[str] = []
        self._news = threading.Condition()
        given = {
            "plan": plan_json(settings.wasm, settings.plan),
            "host": {"workers": 1, **settings.host},
            "serving": settings.serving,
            "cache": str(Path("~/.cache/wherry/tests").expanduser()),
            "metrics": str(settings.folder / "metrics"),
            "watch": str(self.watched),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + _PROGRAM, json.dumps(given)], stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = 0

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "nobody asked for" in line:  # a hostile guest floods the log
                continue
            with self._news:
                self.log.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self.log.append("<end>")
            self._news.notify_all()

    def wait_for(self, pattern: str | re.Pattern[str], since: int = 0) -> re.Match[str]:
        """The first line of the log that matches, from line `since` on."""
        compiled = re.compile(pattern)
        with self._news:
            found: list[re.Match[str]] = []

            def seen() -> bool:
                found[:] = [m for m in map(compiled.search, self.log[since:]) if m]
                return bool(found) or "<end>" in self.log

            assert self._news.wait_for(seen, PATIENCE), f"{pattern!r} is not in the log: {self.log}"
            assert found, f"{pattern!r} is not in the log: {self.log}"
            return found[0]

    def replace(self, wasm: Path, **plan: Any) -> None:
        """Give the supervisor a new plan, and wait until it runs."""
        since = len(self.log)
        self.give(wasm, **plan)
        self.wait_for("reloaded", since)

    def give(self, wasm: Path, **plan: Any) -> None:
        draft = self.watched.with_suffix(".draft")
        draft.write_text(json.dumps(plan_json(wasm, plan)))
        draft.rename(self.watched)

    def total(self) -> dict[str, int]:
        counters = attach(self.settings.folder / "metrics")
        try:
            return counters.total()
        finally:
            counters.close()

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def connect(self) -> socket.socket:
        host = self.settings.host.get("address", "127.0.0.1")
        return socket.create_connection(("::1" if host == "::" else host, self.port), PATIENCE)

    def talk(self, data: bytes) -> bytes:
        """Send bytes, and read until the server closes."""
        with self.connect() as client:
            client.sendall(data)
            return read_all(client)

    def get(self, path: str, *fields: str, method: str = "GET", body: bytes = b"") -> Response:
        """One request on a connection of its own."""
        lines = [f"{method} {path} HTTP/1.1", "Host: test", "Connection: close", *fields]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        with self.connect() as client:
            client.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            return Response.read(Stream(client), head_only=method == "HEAD")

    def end(self) -> None:
        """Leave nothing behind."""
        self.process.terminate()
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask for the end, and wait for it; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Until it ends by itself; the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code


@contextmanager
def serving(settings: Settings, before: str = "") -> Iterator[Server]:
    """before: Python that the server's process runs first."""
    with ExitStack() as stack:
        server = Server(settings, before)
        stack.callback(server.end)
        server.port = int(server.wait_for(_URL)[2])
        yield server


def eventually(holds: Callable[[], bool]) -> None:
    """Ask until it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.02)


def read_all(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


class Stream:
    """A socket read by lines and counts. EOFError when the peer closes too early."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self._buffer = b""

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def rest(self) -> bytes:
        data, self._buffer = self._buffer + read_all(self.client), b""
        return data

    def chunk(self) -> bytes:
        """The next chunk of a chunked body; empty is the last one, whose trailers are still to be read."""
        size = int(self.line(), 16)
        data = self.exactly(size)
        if size:
            assert self.exactly(2) == b"\r\n"
        return data

    def fields(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while line := self.line():
            name, _, value = line.partition(b": ")
            found[name.decode()] = value.decode("latin-1")
        return found

    def _more(self) -> None:
        part = self.client.recv(65536)
        if not part:
            raise EOFError(f"the server closed after {self._buffer!r}")
        self._buffer += part


@dataclass
class Response:
    status: int
    fields: dict[str, str]
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def head(cls, stream: Stream) -> Self:
        """Read a head only: the body is the caller's."""
        status = int(stream.line().split(b" ")[1])
        return cls(status, stream.fields())

    @classmethod
    def read(cls, stream: Stream, *, head_only: bool = False) -> Self:
        response = cls.head(stream)
        if head_only or response.status in (204, 304):
            return response
        if response.fields.get("transfer-encoding") == "chunked":
            while piece := stream.chunk():
                response.body += piece
            response.trailers = stream.fields()
        elif "content-length" in response.fields:
            response.body = stream.exactly(int(response.fields["content-length"]))
        else:
            response.body = stream.rest()
        return response
