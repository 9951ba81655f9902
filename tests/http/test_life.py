"""Workers come and go; requests do not notice."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.http.conftest import Start
from tests.support import guests
from tests.support.http_server import PATIENCE, Response, Server, Stream, eventually, read_all
from wherry.engine.http.listener import bind
from wherry.engine.http.post import shares_of
from wherry.errors import StartError

DRIP = b"POST /drip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def begun(server: Server, stack: ExitStack) -> Stream:
    """A request in flight: its first chunk has come, its end waits for us."""
    client = stack.enter_context(server.connect())
    client.sendall(DRIP)
    stream = Stream(client)
    Response.head(stream)
    assert stream.chunk() == b"first\n"
    return stream


def finish(stream: Stream) -> None:
    stream.client.sendall(b"4\r\nlast\r\n0\r\n\r\n")
    assert stream.chunk() == b"last"
    assert stream.chunk() == b""


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_finishes_what_is_in_flight_and_exits_0(start: Start, number: int, alone: bool) -> None:
    server = start(guests.command("stream"), host={"alone": alone})
    assert bool(server.workers()) is not alone
    with ExitStack() as stack:
        idle = stack.enter_context(server.connect())
        stream = begun(server, stack)
        server.process.send_signal(number)
        assert idle.recv(1) == b""
        eventually(lambda: refused(server))
        finish(stream)
        assert server.wait() == 0
    assert "1 request, 1 instance" in server.log[-2]


def refused(server: Server) -> bool:
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_response_during_the_drain_says_that_the_connection_closes(start: Start) -> None:
    server = start(guests.command("stream"))
    with ExitStack() as stack:
        held = begun(server, stack)
        client = stack.enter_context(server.connect())
        client.sendall(b"GET /sleep/1500 HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: server.total()["in_flight"] == 2)
        server.process.send_signal(signal.SIGTERM)
        answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer
        finish(held)


@pytest.mark.parametrize("alone", [False, True])
def test_what_is_not_finished_when_the_drain_ends_is_cut_and_the_exit_code_says_so(start: Start, alone: bool) -> None:
    server = start(guests.command("stream"), plan={"drain": 0.3}, host={"alone": alone})
    with ExitStack() as stack:
        stream = begun(server, stack)
        waiting = stack.enter_context(server.connect())
        waiting.sendall(b"GET /sleep/60000 HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: server.total()["in_flight"] == 2)
        assert server.stop() == 128 + signal.SIGTERM
        assert not stream.rest().endswith(b"0\r\n\r\n")
        assert read_all(waiting).startswith(b"HTTP/1.1 503")


def test_a_second_signal_ends_at_once(start: Start) -> None:
    server = start(guests.command("stream"))
    with ExitStack() as stack:
        begun(server, stack)
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: refused(server))
        assert server.stop(signal.SIGINT) == 128 + signal.SIGTERM


def test_a_killed_worker_is_replaced_and_no_new_connection_is_refused(start: Start) -> None:
    server = start(guests.command("stream"), host={"workers": 2})
    assert server.get("/elsewhere").status == 200
    for _ in range(3):
        eventually(lambda: len(server.workers()) == 2)
        victim = server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        for _ in range(20):
            assert server.get("/elsewhere").status == 200
    server.wait_for("ended by signal 9")


def test_the_counters_of_a_killed_worker_stay(start: Start) -> None:
    server = start(guests.command("stream"))
    with ExitStack() as stack:
        begun(server, stack)
        for _ in range(5):
            server.get("/elsewhere")
        eventually(lambda: server.total()["requests_2xx"] == 5)
        os.kill(server.workers()[0], signal.SIGKILL)
        server.wait_for("ended by signal 9")
        total = server.total()
        assert (total["requests_2xx"], total["in_flight"]) == (5, 0)


def test_workers_do_not_outlive_a_killed_supervisor(start: Start) -> None:
    server = start(guests.command("stream"), host={"workers": 2})
    workers = server.workers()
    server.process.kill()
    eventually(lambda: not any(_alive(pid) for pid in workers))


def _alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_a_reload_drops_no_request(start: Start) -> None:
    server = start(guests.command("stream"), host={"workers": 2})
    stop, failures, served = threading.Event(), [], [0]

    def load() -> None:
        while not stop.is_set():
            response = server.get("/elsewhere")
            served[0] += 1
            if response.status != 200:
                failures.append(response)

    with ExitStack() as stack:
        held = begun(server, stack)
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for wasm in (guests.command("cgi"), guests.command("stream"), guests.command("cgi")):
            before = served[0]
            server.replace(wasm)
            eventually(lambda before=before: served[0] > before + 20)  # type: ignore[misc]
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
        finish(held)
    assert not failures
    assert b"GET /x" in server.get("/x").body


def test_a_connection_from_before_a_reload_may_ask_once_more(start: Start) -> None:
    server = start(guests.command("stream"))
    ask = b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n"
    with server.connect() as client:
        stream = Stream(client)
        client.sendall(ask)
        assert "connection" not in Response.read(stream).fields
        server.replace(guests.command("cgi"))

        def is_the_last() -> bool:  # not yet, while the old worker has not been told
            client.sendall(ask)
            response = Response.read(stream)
            assert response.status == 200
            return response.fields.get("connection") == "close"

        eventually(is_the_last)
        assert client.recv(1) == b""
    assert server.get("/x").body.startswith(b"GET /x")


def test_a_plan_that_cannot_start_leaves_the_old_one_running(start: Start, tmp_path: Path) -> None:
    server = start(guests.command("stream"))
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(b"\0asm\1\0\0\0\x01\x7f")
    server.give(broken)
    server.wait_for("not reloaded: .*broken.wasm")
    assert server.get("/elsewhere").status == 200


def test_a_full_queue_is_answered_503_with_a_time_to_come_back(start: Start) -> None:
    server = start(guests.command("stream"), plan={"limits": {"concurrency": 1}}, host={"workers": 4})
    with ExitStack() as stack:
        held = begun(server, stack)
        queued = [stack.enter_context(server.connect()) for _ in range(2)]
        for client in queued:
            client.sendall(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        eventually(lambda: server.total()["queued"] == 2)
        response = server.get("/elsewhere")
        assert (response.status, response.fields["retry-after"]) == (503, "1")
        assert server.total()["overloaded"] == 1
        finish(held)
        for client in queued:
            assert read_all(client).startswith(b"HTTP/1.1 200")


def test_as_many_guests_run_at_once_as_the_plan_says_and_no_more(start: Start) -> None:
    server = start(guests.command("stream"), plan={"limits": {"concurrency": 6}})
    with ExitStack() as stack:
        held = [begun(server, stack) for _ in range(6)]
        waiting = stack.enter_context(server.connect())
        waiting.sendall(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        eventually(lambda: server.total()["queued"] == 1)
        for stream in held:
            finish(stream)
        assert read_all(waiting).startswith(b"HTTP/1.1 200")
    eventually(lambda: server.total()["instances"] == 7)


def test_a_client_that_gives_up_leaves_the_queue(start: Start) -> None:
    server = start(guests.command("stream"), plan={"limits": {"concurrency": 1}})
    with ExitStack() as stack:
        held = begun(server, stack)
        with server.connect() as client:
            client.sendall(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
            eventually(lambda: server.total()["queued"] == 1)
        eventually(lambda: server.total()["queued"] == 0)
        finish(held)
    eventually(lambda: server.total()["in_flight"] == 0)
    assert server.total()["instances"] == 1


@pytest.mark.parametrize(
    ("concurrency", "workers", "shares"),
    [(16, 2, [8, 8]), (16, 3, [6, 5, 5]), (1, 4, [1]), (3, 8, [1, 1, 1]), (5, 1, [5])],
)
def test_concurrency_is_shared_out(concurrency: int, workers: int, shares: list[int]) -> None:
    assert shares_of(concurrency, workers) == shares


def test_a_port_that_is_taken_is_an_error_even_for_those_who_would_share_it() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        with pytest.raises(StartError) as caught:
            bind("127.0.0.1", other.getsockname()[1], 2)
        assert caught.value.reason == "address"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_every_address_is_served_by_both_families(start: Start) -> None:
    server = start(guests.command("stream"), host={"address": "::"})
    for address in ("::1", "127.0.0.1"):
        with socket.create_connection((address, server.port), PATIENCE) as client:
            client.sendall(b"GET /env HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert f"REMOTE_ADDR={address}\n".encode() in read_all(client)
