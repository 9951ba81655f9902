"""Whose turn it is at a registry: few at once, one alone where it fails, nobody before its back-off ends.

A host fails when it cannot be reached or says that it cannot answer, whatever it was asked. A refusal is an answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from wherry.errors import RegistryError, WherryError
from wherry_operator.supply.backoff import Backoff

AT_ONCE = 4
FIRST, LAST = 1.0, 60.0
LONGEST_WISH = 900.0
"""Seconds of a Retry-After that are honoured; and of twice the time that a host held us up, so that none can do so for
more than a third of the time.
"""
OUTAGES = frozenset({"unreachable", "timeout", "tls", "ratelimited", "server"})


class Waiting(RegistryError):
    """Nothing was asked, because the host failed a moment ago. retry_after: seconds until it may be asked."""

    def __init__(self, host: str, seconds: float) -> None:
        message = f"{host} failed a moment ago and is asked again soon"
        super().__init__(message, kind="unreachable", retryable=True, retry_after=seconds)


@dataclass(slots=True)
class _Host:
    users: int = 0
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)


class Hosts:
    """Belongs to one event loop. clock: seconds."""

    def __init__(self, clock: Callable[[], float], jitter: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._backoff: Backoff[str] = Backoff(FIRST, LAST, jitter)
        self._hosts: dict[str, _Host] = {}

    def wait(self, name: str) -> float:
        """Seconds until the host may be asked; 0 for now."""
        return self._backoff.wait(name, self._clock())

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """What is inside asks the host; how it ends says how the host is. Raises Waiting instead."""
        self._check(name)
        host = self._hosts.setdefault(name, _Host())
        host.users += 1
        try:
            async with host.slots, host.alone if self._backoff.failing(name) else nullcontext():
                self._check(name)
                async with self._judged(name):
                    yield
        finally:
            host.users -= 1
            if not host.users:
                del self._hosts[name]

    @asynccontextmanager
    async def _judged(self, name: str) -> AsyncIterator[None]:
        began = self._clock()
        try:
            yield
        except RegistryError as error:
            if error.kind in OUTAGES:
                now = self._clock()
                wish = max(error.retry_after or 0.0, 2 * (now - began))
                self._backoff.failed(name, now, at_least=min(wish, LONGEST_WISH))
            else:
                self._backoff.succeeded(name)
            raise
        except WherryError:
            self._backoff.succeeded(name)
            raise
        self._backoff.succeeded(name)

    def _check(self, name: str) -> None:
        if seconds := self.wait(name):
            raise Waiting(name, seconds)
