"""Counters as Prometheus text, and the small listener that serves it beside a run."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Mapping

from wherry.engine.metering import BUCKETS, COUNTERS, TRAPS
from wherry.errors import StartError

REQUEST_LIMIT = 8192
PATIENCE = 2.0
"""Seconds that a reader of metrics may block the supervisor while it takes its answer."""

_PLAIN = {
    "instances": ("wherry_instances_total", "counter", "Instances started."),
    "bytes_in": ("wherry_request_bytes_total", "counter", "Bytes of request bodies."),
    "bytes_out": ("wherry_response_bytes_total", "counter", "Bytes of response bodies."),
    "fuel": ("wherry_fuel_total", "counter", "Fuel used, when it is limited."),
    "bad_requests": ("wherry_bad_requests_total", "counter", "Requests refused before a guest saw them."),
    "overloaded": ("wherry_overloaded_total", "counter", "Requests answered 503 because the queue was full."),
    "requests_cut": ("wherry_responses_cut_total", "counter", "Responses that ended before they were whole."),
    "commands": ("wherry_commands_total", "counter", "Commands run."),
    "in_flight": ("wherry_requests_in_flight", "gauge", "Requests being served."),
    "queued": ("wherry_requests_queued", "gauge", "Requests that wait for an instance."),
    "connections": ("wherry_connections", "gauge", "Open client connections."),
    "resident_bytes": ("wherry_resident_bytes", "gauge", "Resident anonymous memory of the workers."),
}


def prometheus(total: Mapping[str, int]) -> str:
    """The text exposition format, version 0.0.4."""
    lines: list[str] = []
    for name, (metric, kind, sentence) in _PLAIN.items():
        lines += [*_head(metric, kind, sentence), f"{metric} {total[name]}"]
    lines += _labelled("wherry_requests_total", "Responses by class.", "class", _classes(total))
    lines += _labelled("wherry_traps_total", "Traps by reason.", "reason", {t: total[f"trap_{t}"] for t in TRAPS})
    lines += _labelled("wherry_limits_total", "Guests ended by a limit.", "limit", _limits(total))
    lines += _head("wherry_cpu_seconds_total", "counter", "CPU time inside guests.")
    lines.append(f"wherry_cpu_seconds_total {total['cpu_microseconds'] / 1e6:.6f}")
    lines += _head(
        "wherry_memory_byte_seconds_total", "counter", "Resident bytes multiplied by the time they were held."
    )
    lines.append(f"wherry_memory_byte_seconds_total {total['memory_byte_seconds']}")
    return "\n".join([*lines, *_histogram(total), ""])


def _classes(total: Mapping[str, int]) -> dict[str, int]:
    return {f"{n}xx": total[f"requests_{n}xx"] for n in (2, 3, 4, 5)}


def _limits(total: Mapping[str, int]) -> dict[str, int]:
    names = [name for name in COUNTERS if name.startswith(("limit_", "oom_"))]
    return {name.partition("_")[2]: total[name] for name in names}


def _head(metric: str, kind: str, sentence: str) -> list[str]:
    return [f"# HELP {metric} {sentence}", f"# TYPE {metric} {kind}"]


def _labelled(metric: str, sentence: str, label: str, values: Mapping[str, int]) -> list[str]:
    return [
        *_head(metric, "counter", sentence),
        *(f'{metric}{{{label}="{name}"}} {value}' for name, value in values.items()),
    ]


def _histogram(total: Mapping[str, int]) -> list[str]:
    metric, seen = "wherry_request_seconds", 0
    lines = _head(metric, "histogram", "From request head to last byte handed to the network.")
    for i, bound in enumerate([*map(str, BUCKETS), "+Inf"]):
        seen += total[f"latency_{i}"]
        lines.append(f'{metric}_bucket{{le="{bound}"}} {seen}')
    return [*lines, f"{metric}_sum {total['latency_microseconds'] / 1e6:.6f}", f"{metric}_count {seen}"]


class Admin:
    """`/metrics` and `/healthz` on one address, driven by the supervisor's selector.

    total: gives the counters when asked. healthy: whether every worker is up.
    """

    def __init__(
        self,
        address: str,
        selector: selectors.BaseSelector,
        total: Callable[[], Mapping[str, int]],
        healthy: Callable[[], bool],
    ) -> None:
        self._selector, self._total, self._healthy = selector, total, healthy
        self._pending: dict[socket.socket, bytes] = {}
        self._listener = _listen(address)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        for client in list(self._pending):
            self._drop(client)
        self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(PATIENCE)
        self._pending[client] = b""
        self._selector.register(client, selectors.EVENT_READ, lambda: self._read(client))

    def _read(self, client: socket.socket) -> None:
        try:
            data = client.recv(REQUEST_LIMIT)
            self._pending[client] += data
            whole = b"\r\n\r\n" in self._pending[client]
            if whole:
                client.sendall(self._answer(self._pending[client]))
        except OSError:
            return self._drop(client)
        if whole or not data or len(self._pending[client]) > REQUEST_LIMIT:
            self._drop(client)
        return None

    def _answer(self, request: bytes) -> bytes:
        method, _, rest = request.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "only GET\n")
        if path == b"/metrics":
            return _response("200 OK", prometheus(self._total()))
        if path == b"/healthz":
            return (
                _response("200 OK", "ok\n") if self._healthy() else _response("503 Service Unavailable", "starting\n")
            )
        return _response("404 Not Found", "try /metrics or /healthz\n")

    def _drop(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        del self._pending[client]
        client.close()


def _response(status: str, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + body


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    try:
        return socket.create_server((host.strip("[]") or "127.0.0.1", int(port)))
    except (OSError, ValueError) as error:
        raise StartError(
            "address", f"the admin address {address} cannot be listened on: {error}", cure="choose another host:port"
        ) from error
