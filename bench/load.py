"""Load on a loopback server: wrk where it is installed, else a bounded client of our own. Both keep connections."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
from statistics import median, quantiles
from typing import Any

from bench.measure import Round

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}
_REQUEST = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"


TRIES = 3
"""A stalled machine can leave wrk without a single sample; a server that fails does so each time."""


class LoadFailed(Exception):
    """Requests failed: what was measured would not be a figure."""


def load(port: int, seconds: float, connections: int, core: int | None, host: str = "127.0.0.1") -> Round:
    """Requests a second, p50 and p99 in milliseconds. core: where the client is pinned; None is anywhere."""
    if shutil.which("wrk"):
        return _wrk(f"http://{host}:{port}/x", seconds, connections, core)
    return _own((host, port), seconds, min(connections, 16))


def _wrk(url: str, seconds: float, connections: int, core: int | None) -> Round:
    pin = [] if core is None else ["taskset", "-c", str(core)]
    program = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s", "--latency"]
    for _ in range(TRIES - 1):
        with contextlib.suppress(LoadFailed):
            return parse_wrk(_said([*pin, *program, url]))
    return parse_wrk(_said([*pin, *program, url]))


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def parse_wrk(said: str) -> Round:
    """What wrk prints. Raises LoadFailed when any request failed."""
    if "Non-2xx" in said or "Socket errors" in said:
        raise LoadFailed(said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    times = {name: re.search(rf"{name}%\s+([\d.]+)(us|ms|s|m)\b", said) for name in ("50", "99")}
    if not rate or not times["50"] or not times["99"]:
        raise LoadFailed(said)
    in_ms = {f"p{name}": float(found[1]) * _UNITS[found[2]] for name, found in times.items() if found}
    if not all(in_ms.values()):
        raise LoadFailed(said)
    return {"rate": float(rate[1]), **in_ms}


def _own(server: tuple[str, int], seconds: float, connections: int) -> Round:
    """Threads of blocking sockets: a low ceiling, the same for both sides."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    threads = [threading.Thread(target=_client, args=(server, end, taken)) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(taken) < 2:
        raise LoadFailed("no request was answered")
    return {
        "rate": len(taken) / (time.perf_counter() - began),
        "p50": median(taken) * 1e3,
        "p99": quantiles(taken, n=100)[98] * 1e3,
    }


def _client(server: tuple[str, int], end: float, taken: list[float]) -> None:
    with socket.create_connection(server, timeout=20) as connection:
        answers = connection.makefile("rb")
        while (began := time.perf_counter()) < end:
            connection.sendall(_REQUEST)
            _skip_answer(answers)
            taken.append(time.perf_counter() - began)


def _skip_answer(answers: Any) -> None:
    length = 0
    status = answers.readline()
    if b" 200 " not in status:
        raise LoadFailed(status.decode("latin-1"))
    chunked = False
    while (line := answers.readline().strip().lower()) != b"":
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        chunked |= line == b"transfer-encoding: chunked"
    while chunked and (length := int(answers.readline(), 16)):
        answers.read(length + 2)
    answers.readline() if chunked else answers.read(length)
