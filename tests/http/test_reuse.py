"""Instances that serve more than one request, because the host says so (docs/decisions/0007)."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import pairwise

import pytest

from tests.http.conftest import Start
from tests.support import guests
from tests.support.http_server import Response, Server, Stream, eventually

GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"


def counter(start: Start, reuse: int, **plan: object) -> Server:
    return start(guests.http("counter"), plan=plan, host={"reuse": reuse})


def counted(server: Server, times: int) -> list[int]:
    return [int(server.get("/").body.split()[0]) for _ in range(times)]


def test_without_a_word_of_the_host_every_request_is_the_first(start: Start) -> None:
    assert counted(counter(start, 1), 5) == [1] * 5


def test_an_instance_serves_as_many_requests_as_the_host_says(start: Start) -> None:
    server = counter(start, 3)
    assert counted(server, 7) == [1, 2, 3, 1, 2, 3, 1]
    assert server.total()["instances"] == 3


def test_a_thousand_requests_of_one_connection_meet_one_instance(start: Start) -> None:
    server = counter(start, 10_000)
    with server.connect() as client:
        stream = Stream(client)
        for number in range(1, 1001):
            client.sendall(GET % b"")
            assert Response.read(stream).body == b"%d 0" % number


def test_each_request_has_the_fuel_of_its_own(start: Start) -> None:
    server = counter(start, 1000, limits={"fuel": 100_000})
    used = [server.total()["fuel"]]
    for number in range(1, 101):
        assert server.get("/").body == b"%d 0" % number
        used.append(server.total()["fuel"])
    assert max(after - before for before, after in pairwise(used)) < 100_000 < used[-1]


@pytest.mark.parametrize(("way", "status"), [("trap", 500), ("silent", 502), ("spin", 504), ("sleep", 504)])
def test_after_a_bad_end_the_next_request_has_a_fresh_instance(start: Start, way: str, status: int) -> None:
    server = counter(start, 100, limits={"timeout": 1.0})
    assert counted(server, 2) == [1, 2]
    assert server.get(f"/{way}").status == status
    eventually(lambda: server.total()["in_flight"] == 0)
    assert counted(server, 2) == [1, 2]


def test_a_client_that_goes_ends_its_request_and_the_instance(start: Start) -> None:
    server = counter(start, 100)
    assert counted(server, 2) == [1, 2]
    with server.connect() as client:
        client.sendall(GET % b"spin")
        eventually(lambda: server.total()["in_flight"] == 1)
    eventually(lambda: server.total()["in_flight"] == 0)
    assert counted(server, 2) == [1, 2]


@pytest.mark.parametrize("size", [5, 1_000_000])
def test_a_request_with_a_body_has_an_instance_of_its_own(start: Start, size: int) -> None:
    server = counter(start, 100)
    assert counted(server, 2) == [1, 2]
    assert server.get("/body", method="POST", body=bytes(size)).body == b"1 %d" % size
    assert server.get("/body").body == b"1 0"
    assert counted(server, 2) == [2, 3]


def test_requests_at_once_never_share_an_instance_nor_run_out_of_them(start: Start) -> None:
    server = counter(start, 7, limits={"concurrency": 2})
    answers: list[Response] = []

    def ask() -> None:
        with server.connect() as client:
            stream = Stream(client)
            for _ in range(100):
                client.sendall(GET % b"")
                answers.append(Response.read(stream))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert {answer.status for answer in answers} == {200}
    seen = Counter(int(answer.body.split()[0]) for answer in answers)
    assert set(seen) == set(range(1, 8))
    assert seen[1] == server.total()["instances"]
    assert all(seen[number] >= seen[number + 1] for number in range(1, 7))


def test_a_module_that_cannot_serve_twice_does_not_and_the_log_says_why(start: Start) -> None:
    server = start(guests.command("stream"), host={"reuse": 5})
    server.wait_for("every request has its own instance: a module's _start runs once")
    assert {server.get("/").status for _ in range(5)} == {200}
    assert server.total()["instances"] == 5
