"""The shared counters, their file, and their Prometheus text."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.http.conftest import Start
from tests.support import guests
from tests.support.http_server import Server, eventually
from wherry.engine import metering
from wherry.engine.admin import prometheus
from wherry.engine.metering import BUCKETS, CELLS, COUNTERS, HEADER, attach, create, summary
from wherry.errors import InputError
from wherry.plan.ending import LIMIT_REASONS, OOM_REASONS, TRAP_REASONS


def test_every_counter_has_a_place_of_its_own_within_a_slot() -> None:
    places = list(COUNTERS.values())
    assert len(set(places)) == len(places)
    assert max(places) < CELLS


def test_the_layout_of_version_1_does_not_move() -> None:
    known = {"pid": 0, "in_flight": 1, "requests_2xx": 8, "cpu_microseconds": 18, "trap_unreachable": 48}
    known |= {"trap_other": 60, "latency_0": 72, "latency_15": 87}
    assert {name: COUNTERS[name] for name in known} == known
    assert (HEADER, CELLS) == (8, 96)


def test_every_reason_of_an_ending_is_counted() -> None:
    assert set(metering.TRAPS) == TRAP_REASONS
    assert {f"limit_{reason}" for reason in LIMIT_REASONS} <= COUNTERS.keys()
    assert {f"oom_{reason}" for reason in OOM_REASONS} <= COUNTERS.keys()


def test_what_one_process_counts_another_reads(tmp_path: Path) -> None:
    counters = create(tmp_path / "metrics", 2)
    if not (child := os.fork()):
        counters.slots[1].begin()
        counters.slots[1].request(204, 0.003)
        counters.slots[1].ended("trap", "stack-overflow")
        os._exit(0)
    os.waitpid(child, 0)
    counters.slots[0].request(200, 40.0)
    reader = attach(tmp_path / "metrics")
    total = reader.total()
    assert (total["requests_2xx"], total["trap_stack-overflow"]) == (2, 1)
    assert (total["latency_3"], total[f"latency_{len(BUCKETS)}"]) == (1, 1)
    assert reader.slots[1].cells[0] == child
    reader.close()
    counters.close()


def test_a_new_writer_goes_on_counting_where_a_dead_one_stopped() -> None:
    counters = create(None, 1)
    slot = counters.slots[0]
    slot.add("in_flight", 3)
    slot.add("instances", 7)
    slot.begin()
    assert (counters.total()["in_flight"], counters.total()["instances"]) == (0, 7)
    counters.close()


@pytest.mark.parametrize("content", [b"", b"x" * 4096, (1).to_bytes(8, "little") * 512])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a file of counters"):
        attach(path)


def test_the_summary_is_one_line_for_a_person() -> None:
    counters = create(None, 1)
    slot = counters.slots[0]
    for status in (200, 200, 500):
        slot.request(status, 0.01)
    for name, amount in {"instances": 3, "cpu_microseconds": 1_500_000, "memory_byte_seconds": 3 << 20}.items():
        slot.add(name, amount)
    slot.ended("trap", "unreachable")
    assert summary(counters.total()) == "3 requests (1 failed), 3 instances, 1.500 CPU-seconds, 3.0 MiB-seconds, 1 trap"
    counters.close()


def test_the_text_is_what_prometheus_reads() -> None:
    counters = create(None, 1)
    counters.slots[0].request(200, 0.0007)
    text = prometheus(counters.total())
    counters.close()
    lines = text.splitlines()
    assert text.endswith("\n")
    assert 'wherry_requests_total{class="2xx"} 1' in lines
    assert 'wherry_request_seconds_bucket{le="0.0005"} 0' in lines
    assert 'wherry_request_seconds_bucket{le="0.001"} 1' in lines
    assert 'wherry_request_seconds_bucket{le="+Inf"} 1' in lines
    assert "wherry_request_seconds_count 1" in lines
    named = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(set(named)) == len(named)


def fetch(port: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_admin_listener_gives_the_sum_of_all_workers(start: Start) -> None:
    server = start(guests.command("stream"), host={"workers": 2, "admin": "127.0.0.1:0"})
    port = server.wait_for(r"metrics on http://127\.0\.0\.1:(\d+)")[1]
    for _ in range(20):
        assert server.get("/elsewhere").status == 200
    eventually(lambda: server.total()["requests_2xx"] == 20)
    assert 'wherry_requests_total{class="2xx"} 20' in fetch(port, "/metrics")[1]
    assert fetch(port, "/healthz") == (200, "ok\n")
    assert fetch(port, "/other")[0] == 404


def test_usage_is_counted_in_seconds_and_bytes(cgi: Server) -> None:
    before = cgi.total()
    cgi.get("/count", method="POST", body=b"x" * 1000)
    eventually(lambda: cgi.total()["bytes_in"] == before["bytes_in"] + 1000)
    eventually(lambda: cgi.total()["bytes_out"] == before["bytes_out"] + 5)
    after = cgi.total()
    assert after["cpu_microseconds"] > before["cpu_microseconds"]
    assert after["instances"] == before["instances"] + 1
    assert after["memory_byte_seconds"] > 0


def test_the_access_log_is_one_json_object_for_each_request(start: Start) -> None:
    server = start(guests.command("stream"), serving={"access_log": True})
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    server.get('/elsewhere?q="', f"Traceparent: {trace}", "X-Request-Id: the-one")
    entry = json.loads(server.wait_for(r"^\{.*the-one.*\}$")[0])
    expected = {"method": "GET", "target": '/elsewhere?q="', "status": 200, "bytes": 10, "traceparent": trace}
    assert {name: entry[name] for name in expected} == expected
    assert entry["peer"] == "127.0.0.1"
    assert entry["seconds"] > 0
