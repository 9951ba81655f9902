"""Which apps wait for a pass: each at most once, never two passes over one app at a time, failures ever later.

The promises are those of a level-based controller: a key that is added while its pass runs gets one more pass after it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
FIRST_DELAY = 0.5
LAST_DELAY = 300.0


class Queue(Generic[K]):
    """Belongs to one event loop. random: in [0, 1), for jitter."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._waiting: dict[K, None] = {}
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._some = asyncio.Event()

    def __len__(self) -> int:
        """Keys that could run now."""
        return len(self._waiting)

    def add(self, key: K) -> None:
        """Run soon."""
        if key in self._running:
            self._again.add(key)
            return
        self._waiting[key] = None
        self._some.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Run in `seconds`, or earlier if something else asks for it; the sooner of two delays counts."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer and timer.when() <= loop.time() + seconds:
            return
        self._cancel(key)
        self._timers[key] = loop.call_later(seconds, self._due, key)

    def failed(self, key: K) -> float:
        """Run again after a delay that doubles with every failure, which is returned (s)."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(LAST_DELAY, FIRST_DELAY * float(1 << min(failures, 16))) * (0.5 + self._jitter() / 2)
        self.add_after(key, delay)
        return delay

    def succeeded(self, key: K) -> None:
        """Forget the failures."""
        self._failures.pop(key, None)

    def forget(self, key: K) -> None:
        """The key is gone: no timer and no count stays."""
        self._cancel(key)
        self._failures.pop(key, None)

    async def take(self) -> K:
        """The key that has waited longest. It is the caller's until `done`; what was to come later comes with it."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._cancel(key)
        self._running.add(key)
        return key

    def done(self, key: K) -> None:
        """The pass over the key has ended."""
        self._running.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """No timer fires after this."""
        for key in list(self._timers):
            self._cancel(key)

    def _due(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel(self, key: K) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
