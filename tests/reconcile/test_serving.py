"""Health, readiness, metrics and the log, as a cluster's tools read them."""

from __future__ import annotations

import asyncio
import json
import logging
import sys

import aiohttp

from wherry.cluster.logs import Json
from wherry.cluster.serving import served
from wherry_operator.metrics import Metrics


async def _ask(port: int, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


def test_readiness_follows_what_has_been_read_and_health_does_not() -> None:
    async def scenario() -> list[int]:
        ready = False
        async with served(0, Metrics().page, lambda: ready, "127.0.0.1") as port:
            before = [(await _ask(port, path))[0] for path in ("/healthz", "/readyz")]
            ready = True
            return [*before, (await _ask(port, "/readyz"))[0]]

    assert asyncio.run(scenario()) == [200, 503, 200]


def test_metrics_are_in_prometheus_format() -> None:
    async def scenario() -> tuple[int, str]:
        metrics = Metrics()
        metrics.passes.labels("told").inc(3)
        async with served(0, metrics.page, lambda: True, "127.0.0.1") as port:
            return await _ask(port, "/metrics")

    status, page = asyncio.run(scenario())
    assert status == 200
    assert 'wherry_operator_passes_total{outcome="told"} 3.0' in page.splitlines()


def test_what_waits_is_asked_at_each_scrape_of_the_replica_that_acts_alone() -> None:
    metrics, waiting = Metrics(), ["a"]
    seen = [queued(metrics)]
    metrics.leads(waiting.__len__)
    seen.append(queued(metrics))
    waiting.append("b")
    seen.append(queued(metrics))
    metrics.rests()
    assert [*seen, queued(metrics)] == [0, 1, 2, 0]


def queued(metrics: Metrics) -> float:
    lines = metrics.page().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("wherry_operator_queue "))


def test_a_line_of_the_log_is_an_object_with_the_app_and_the_fault() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.LogRecord("wherry", logging.ERROR, "file", 1, "pass over %s", ("a/b",), sys.exc_info())
    record.app = "a/b"
    entry = json.loads(Json().format(record))
    assert (entry["level"], entry["message"], entry["app"]) == ("error", "pass over a/b", "a/b")
    assert entry["traceback"].endswith("ValueError: broken")
