"""Trying again: only what may help, only a few times, only while the deadline leaves time for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from wherry.errors import RegistryError
from wherry.oci.transport.patience import Patience

T = TypeVar("T")

_FIRST_WAIT = 0.25
_random = random.SystemRandom()


def persistently(attempt: Callable[[], T], patience: Patience, deadline: float) -> T:
    """attempt's result; the last RegistryError when it keeps failing. deadline is of time.monotonic."""
    for number in range(1, patience.attempts + 1):
        try:
            return attempt()
        except RegistryError as error:
            wait = _wait(error, number)
            last = number == patience.attempts or wait > patience.longest_wait
            if not error.retryable or last or time.monotonic() + wait >= deadline:
                raise
        time.sleep(wait)
    raise AssertionError("attempts is at least 1")


def _wait(error: RegistryError, number: int) -> float:
    """Doubling, with jitter so that a fleet does not come back at once; never sooner than the registry asks."""
    backoff = _FIRST_WAIT * (1 << (number - 1)) * _random.uniform(0.5, 1.5)
    return max(backoff, error.retry_after or 0.0)
