"""Where apps ask registries: one answer for all who ask the same, and not before it is time to ask again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from wherry.errors import RegistryError, WherryError
from wherry_operator.manifest import Key
from wherry_operator.supply.backoff import Backoff
from wherry_operator.supply.flight import Flights, in_thread
from wherry_operator.supply.hosts import OUTAGES, Hosts, Waiting
from wherry_operator.supply.look import Found, Place, Question, look
from wherry_operator.supply.memory import Memory

TRANSFERS = 16
"""Looks at once, whatever the hosts; a thread each."""
FIRST, OUTAGE, LAST = 2.0, 60.0, 300.0
"""Seconds between an app's questions. An outage ends by itself, and soon; what a person must mend may wait, because
registries count questions.
"""


@dataclass(frozen=True, slots=True)
class _Failure:
    """The last answer to an app's question, which is given again until then."""

    question: Question
    error: WherryError
    until: float


class Desk:
    """Belongs to one event loop. clock: seconds. jitter: in [0, 1)."""

    def __init__(
        self,
        place: Place,
        transfers: int,
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._place = place
        self._clock = clock
        self._jitter = jitter
        self._hosts = Hosts(clock, jitter)
        self._transfers = asyncio.Semaphore(transfers)
        self._flights: Flights[Question, Found] = Flights()
        self._memory = Memory()
        self._backoff: Backoff[Key] = Backoff(FIRST, LAST, jitter)
        self._failures: dict[Key, _Failure] = {}

    async def answer(self, app: Key, question: Question) -> Found:
        """Raises the WherryErrors of look, and Refused; that of a moment ago, while it is too early to ask again."""
        last = self._failures.get(app)
        last = last if last and last.question == question else None
        if last and self._clock() < last.until:
            raise last.error
        try:
            found = await self._flights.join(question, lambda: self._ask(question))
        except Waiting as waiting:
            raise self._noted(app, question, last.error if last else waiting, self._after(waiting)) from None
        except WherryError as error:
            own = self._backoff.failed(app, self._clock(), at_most=_longest(error))
            until = max(own, self._clock() + self._hosts.wait(question.reference.host))
            raise self._noted(app, question, error, until) from None
        self.forget(app)
        return found

    def again(self, app: Key) -> float:
        """Seconds until an app that got an error may ask again."""
        return max(0.0, self._failures[app].until - self._clock()) if app in self._failures else 0.0

    def forget(self, app: Key) -> None:
        """It asked successfully, or is gone."""
        self._failures.pop(app, None)
        self._backoff.succeeded(app)

    def close(self) -> None:
        """Nobody waits any longer."""
        self._flights.close()

    def _noted(self, app: Key, question: Question, error: WherryError, until: float) -> WherryError:
        self._failures[app] = _Failure(question, error, until)
        return error

    def _after(self, waiting: Waiting) -> float:
        return self._clock() + (waiting.retry_after or 0.0) * (1 + self._jitter() / 4)

    async def _ask(self, question: Question) -> Found:
        async with self._hosts.turn(question.reference.host), self._transfers:
            found = await in_thread(lambda: look(question, self._place, self._memory.recall))
        self._memory.keep(question.at(found.digest), found)
        return found


def _longest(error: WherryError) -> float:
    return OUTAGE if isinstance(error, RegistryError) and error.kind in OUTAGES else LAST
