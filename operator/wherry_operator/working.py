"""Workers: passes over the apps that the queue gives, each failure told, counted and tried again later."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wherry.errors import WherryError
from wherry_operator.manifest import Key
from wherry_operator.metrics import Metrics, Word
from wherry_operator.queue import Queue

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """word: how a pass ended, for the log and the metrics. again: seconds to the next pass, None for no plan.

    failed: the pass did not get through and is tried again after growing pauses.
    """

    word: Word
    again: float | None = None
    failed: bool = False


Pass = Callable[[Key], Awaitable[Outcome]]


async def work(queue: Queue[Key], one_pass: Pass, workers: int, metrics: Metrics) -> None:
    """Until cancelled; a pass that is under way then ends where it is, which the next leader's pass mends."""
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(_work(queue, one_pass, metrics))


async def _work(queue: Queue[Key], one_pass: Pass, metrics: Metrics) -> None:
    while True:
        key = await queue.take()
        try:
            _plan(queue, key, await _tried(key, one_pass, metrics))
        finally:
            queue.done(key)


async def _tried(key: Key, one_pass: Pass, metrics: Metrics) -> Outcome:
    started = time.monotonic()
    try:
        outcome = await one_pass(key)
    except WherryError as error:
        LOG.warning("%s: %s", key, error, extra={"app": str(key)})
        outcome = Outcome("failed", failed=True)
    except Exception:
        LOG.exception("a pass over %s has a fault of the operator's own", key, extra={"app": str(key)})
        outcome = Outcome("broken", failed=True)
    seconds = time.monotonic() - started
    metrics.passes.labels(outcome.word).inc()
    metrics.seconds.observe(seconds)
    LOG.debug("%s: %s", key, outcome.word, extra={"app": str(key), "outcome": outcome.word, "seconds": seconds})
    return outcome


def _plan(queue: Queue[Key], key: Key, outcome: Outcome) -> None:
    if outcome.failed:
        queue.failed(key)
        return
    queue.succeeded(key)
    if outcome.again is not None:
        queue.add_after(key, outcome.again)
