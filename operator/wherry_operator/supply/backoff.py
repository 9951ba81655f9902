"""When what failed may be tried again: later after each failure, never all at once. Pure but for its memory."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
_FORGET_AFTER = 3600.0
_MANY = 1024


@dataclass(frozen=True, slots=True)
class _Failing:
    count: int
    until: float


class Backoff(Generic[K]):
    """Times are seconds of one clock, which callers read. jitter: in [0, 1)."""

    def __init__(self, first: float, last: float, jitter: Callable[[], float] = random.random) -> None:
        self._first = first
        self._last = last
        self._jitter = jitter
        self._failing: dict[K, _Failing] = {}

    def failed(self, key: K, now: float, *, at_least: float = 0.0, at_most: float = math.inf) -> float:
        """One more failure; when to try again. at_least: seconds that the other side asked for. at_most: before jitter,
        where less than the longest delay will do.
        """
        self._forget(now)
        count = self._failing[key].count + 1 if key in self._failing else 1
        delay = min(self._last, at_most, self._first * float(1 << min(count - 1, 30)))
        until = now + max(delay, at_least) * (1 + self._jitter() / 2)
        self._failing[key] = _Failing(count, until)
        return until

    def succeeded(self, key: K) -> None:
        """Nothing is held against it any more."""
        self._failing.pop(key, None)

    def failing(self, key: K) -> bool:
        """Whether it failed last time."""
        return key in self._failing

    def wait(self, key: K, now: float) -> float:
        """Seconds until it may be tried; 0 for now."""
        return max(0.0, self._failing[key].until - now) if key in self._failing else 0.0

    def _forget(self, now: float) -> None:
        if len(self._failing) >= _MANY:
            self._failing = {k: each for k, each in self._failing.items() if now - each.until < _FORGET_AFTER}
