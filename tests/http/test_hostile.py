"""A guest that misbehaves ends by its own limit; those beside it do not notice."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.http.conftest import Start
from tests.support import guests
from tests.support.http_server import Response, Server, Settings, Stream, eventually, serving

MIB = 1 << 20


@pytest.fixture(params=["cgi", "component"])
def wasm(request: pytest.FixtureRequest) -> Path:
    return _guest(request.param)


def _guest(kind: str) -> Path:
    return guests.command("hostile") if kind == "cgi" else guests.http("hostile")


@pytest.fixture(scope="module", params=["cgi", "component"])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    plan = {"limits": {"timeout": 1.0, "memory": 64 * MIB}}
    settings = Settings(_guest(request.param), tmp_path_factory.mktemp("hostile"), plan)
    with serving(settings) as server:
        yield server


@pytest.mark.parametrize("way", ["loop", "sleep"])
def test_a_guest_that_does_not_end_is_ended_by_the_clock(hostile: Server, way: str) -> None:
    before, since = hostile.total()["limit_timeout"], len(hostile.log)
    response = hostile.get(f"/{way}")
    assert response.status == 504
    hostile.wait_for(r"limit/timeout: the request took longer than 1 s", since)
    assert hostile.total()["limit_timeout"] == before + 1
    eventually(lambda: hostile.total()["in_flight"] == 0)


def test_a_flood_is_cut_by_the_clock_and_the_guest_ends(hostile: Server) -> None:
    with hostile.connect() as client:
        client.sendall(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
        stream = Stream(client)
        assert Response.head(stream).status == 200
        assert not stream.rest().endswith(b"0\r\n\r\n")
    eventually(lambda: hostile.total()["in_flight"] == 0)


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("recurse", "stack-overflow"),
        ("unreachable", "unreachable"),
        ("out-of-bounds", "out-of-bounds"),
        ("divide", "divide-by-zero"),
        ("null-call", "indirect-call-to-null"),
    ],
)
def test_a_trap_is_a_500_with_the_reason_in_the_log_alone(hostile: Server, way: str, reason: str) -> None:
    before, since = hostile.total(), len(hostile.log)
    response = hostile.get(f"/{way}", "X-Request-Id: the-one")
    assert (response.status, response.body) == (500, b"the guest failed\n")
    hostile.wait_for(rf"^trap/{reason}: ", since)
    hostile.wait_for(rf"in request GET /{way} id=the-one", since)
    eventually(lambda: hostile.total()["requests_5xx"] == before["requests_5xx"] + 1)
    assert hostile.total()[f"trap_{reason}"] == before[f"trap_{reason}"] + 1


def test_memory_ends_where_the_plan_says(hostile: Server) -> None:
    since = len(hostile.log)
    response = hostile.get("/grow")
    said = response.body.decode() if response.status == 200 else hostile.wait_for("refused after .*", since)[0]
    assert 16 <= int(said.split()[-2]) < 64


def test_neighbours_are_served_while_others_misbehave(start: Start, wasm: Path) -> None:
    server = start(wasm, plan={"limits": {"timeout": 20.0, "memory": 64 * MIB}})
    with ExitStack() as stack:
        bad = [_asked(server, stack, way) for way in ("loop", "sleep", "loop", "sleep")]
        flooding = [_asked(server, stack, "flood") for _ in range(2)]
        eventually(lambda: server.total()["in_flight"] == len(bad + flooding))
        for way in ("recurse", "unreachable", "grow"):
            _asked(server, stack, way)
        for _ in range(100):
            response = server.get("/")
            assert (response.status, response.body) == (200, b"well behaved\n")
        still_running, _, _ = select.select(bad, [], [], 0)
        assert not still_running, "a bad guest has ended before a hundred good ones were served"
        assert server.total()["in_flight"] >= len(bad)


def test_a_guest_that_floods_the_log_does_not_hold_up_the_others(start: Start, wasm: Path) -> None:
    server = start(wasm, plan={"limits": {"timeout": 10.0}})
    with ExitStack() as stack:
        flooding = _asked(server, stack, "flood-log")
        eventually(lambda: server.total()["in_flight"] == 1)
        for _ in range(10):
            assert server.get("/").status == 200
        assert not select.select([flooding], [], [], 0)[0]


def test_fuel_ends_a_guest_and_is_counted(start: Start, wasm: Path) -> None:
    server = start(wasm, plan={"limits": {"fuel": 5_000_000}})
    assert server.get("/").status == 200
    used = server.total()["fuel"]
    assert 0 < used < 1_000_000
    assert server.get("/loop").status == 500
    server.wait_for(r"^limit/fuel: ")
    total = server.total()
    assert total["limit_fuel"] == 1
    assert total["fuel"] - used == 5_000_000


def _asked(server: Server, stack: ExitStack, way: str) -> socket.socket:
    client = stack.enter_context(server.connect())
    client.sendall(f"GET /{way} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return client
