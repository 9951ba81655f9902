"""The part of a kubelet that gives logs to the API server, over TLS as a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.certificates import self_signed, server_context

PATIENCE = 60.0
"""Seconds after which a log that is followed ends anyway."""


@dataclass
class LogKubelet:
    """logs: by `namespace/pod/container`; a followed log has the lines of `later` too, once `more` is set."""

    port: int
    logs: dict[str, list[str]] = field(default_factory=dict)
    later: dict[str, list[str]] = field(default_factory=dict)
    more: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)


@contextmanager
def log_kubelet(folder: Path) -> Iterator[LogKubelet]:
    """One on loopback; ended with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.socket = server_context(self_signed(folder, "kubelet")).wrap_socket(server.socket, server_side=True)
    kubelet = _Handler.kubelet = LogKubelet(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kubelet
    finally:
        kubelet.more.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    kubelet: LogKubelet
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.kubelet.asked.append(self.path)
        key = parts.path.removeprefix("/containerLogs/")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if key not in self.kubelet.logs:
            self._refuse(key)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        lines = self.kubelet.logs[key]
        self._send(lines[-int(query["tailLines"]) :] if query.get("tailLines", "0") != "0" else lines)
        if query.get("follow") == "true" and self.kubelet.more.wait(PATIENCE):
            self._send(self.kubelet.later.get(key, []))
        self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, key: str) -> None:
        _, pod, container = key.split("/")
        text = f'container "{container}" in pod "{pod}" is waiting to start: ContainerCreating'.encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _send(self, lines: list[str]) -> None:
        if text := "".join(f"{line}\n" for line in lines).encode():
            self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Tests are silent."""
