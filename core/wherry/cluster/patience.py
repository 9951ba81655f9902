"""How often and how long something is tried again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from wherry.cluster.failures import ClusterError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. attempt: for one; budget: after which no new one begins; first, most: delays, which double between."""

    attempt: float = 15.0
    budget: float = 30.0
    first: float = 0.1
    most: float = 5.0

    def delay(self, failures: int, jitter: float) -> float:
        """Before the attempt that follows this many failures; jitter in [0, 1) spreads it over its upper half."""
        return min(self.most, self.first * float(1 << min(failures, 16))) * (0.5 + jitter / 2)


async def insist(
    attempt: Callable[[], Awaitable[T]],
    patience: Patience,
    *,
    also: tuple[type[ClusterError], ...] = (),
    jitter: Callable[[], float] = random.random,
) -> T:
    """The first success. also: failures that are worth another attempt here, beside the retryable ones.

    Raises the last failure when the budget would be spent by waiting, so that whoever asks may wait without us.
    """
    deadline = time.monotonic() + patience.budget
    failures = 0
    while True:
        try:
            return await attempt()
        except ClusterError as failure:
            delay = max(patience.delay(failures, jitter()), failure.retry_after or 0.0)
            if not (failure.retryable or isinstance(failure, also)) or time.monotonic() + delay > deadline:
                raise
        failures += 1
        await asyncio.sleep(delay)
