"""Threads that run guests: at most `size` at once, a queue behind them, and no more.

The loop decides what runs; a thread only calls the guest. Quick guests share one thread: two of them would pass the
interpreter's lock around and push each other's pages out of the core's caches. Guests that last get as many threads as
there may be instances.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic, thread_time

from wherry.engine.http.exchange import Exchange, Outcome
from wherry.engine.thread import start_guest_thread
from wherry.plan.ending import EXIT_TRAP, Ending

Call = Callable[[Exchange], Outcome]
"""Runs a guest for an exchange. Belongs to one thread."""


QUICK_THREADS = 1
"""A second one costs time on two cores, up to a sixth of a request of C, and makes p99 longer (docs/decisions/0049)."""

LASTING_AGE = 10
"""Ticks: a guest that runs for so long waits for something, or will go on for ever. One that computes for milliseconds
on a shared core is done by then, and more threads would only make it share the core with more."""

BATCH = 0.003
"""Seconds that a finished request may wait for the loop while others wait for a thread: waking the loop after each one
costs a guest of half a millisecond a tenth of its time. A thread reads its CPU clock as seldom, and after each guest
that ran for a tick: the counters lack less than a tick of each thread."""

RETIRE = 0.02
"""Threads that are given up with each tick, when they are more than are needed."""


class Pool:
    """size: guests at once. room: of the queue. new_call: makes a thread's Call, in that thread.

    quick: threads for quick guests. All methods belong to the loop's thread.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        size: int,
        room: int,
        new_call: Callable[[], Call],
        quick: int = QUICK_THREADS,
    ) -> None:
        self._loop, self._size, self._room, self._new_call = loop, size, room, new_call
        self._quick = min(quick, size)
        self._wanted = float(self._quick)
        self._waiting: deque[Exchange] = deque()
        self._tasks: SimpleQueue[Exchange | None] = SimpleQueue()
        self._finished: deque[Exchange] = deque()
        self._waking = False
        self._collected = 0.0
        self._threads = 0
        self.running = 0

    @property
    def queued(self) -> int:
        return len(self._waiting)

    def submit(self, exchange: Exchange) -> bool:
        """Run it now or later; False when the queue is full."""
        if self.running < self._size:
            self._run(exchange)
        elif len(self._waiting) < self._room:
            self._waiting.append(exchange)
        else:
            return False
        return True

    def withdraw(self, exchange: Exchange) -> None:
        """Take it out of the queue, if it is there."""
        if exchange in self._waiting:
            self._waiting.remove(exchange)

    def _run(self, exchange: Exchange) -> None:
        self.running += 1
        if self._threads < self.running and self._threads < self._wanted:
            self._add_thread()
        exchange.start()
        self._tasks.put(exchange)

    def adapt(self, lasting: int) -> None:
        """Called at every tick. lasting: guests of at least LASTING_AGE."""
        self._collect()
        needed = min(self._size, self._quick + 2 * lasting)
        self._wanted = max(needed, self._wanted - RETIRE)
        while self._threads < min(self.running, needed):
            self._add_thread()
        if self._threads > self._wanted + 1:
            self._threads -= 1
            self._tasks.put(None)

    def _add_thread(self) -> None:
        self._threads += 1
        start_guest_thread(self._serve, "guest")

    def _serve(self) -> None:
        call, used = self._new_call(), thread_time()
        while (exchange := self._tasks.get()) is not None:
            exchange.entered = True
            exchange.outcome = outcome = _called(call, exchange)
            wakes = not self._waking and (self._tasks.empty() or monotonic() - self._collected > BATCH)
            if wakes or exchange.age:
                before, used = used, thread_time()
                outcome.seconds = used - before
            self._finished.append(exchange)
            if wakes:
                self._waking = True
                self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        self._waking = False
        self._collected = monotonic()
        while self._finished:
            exchange = self._finished.popleft()
            self.running -= 1
            if self._waiting:
                self._run(self._waiting.popleft())
            exchange.finish()


def _called(call: Call, exchange: Exchange) -> Outcome:
    try:
        return call(exchange)
    except Exception as error:
        return Outcome(Ending(EXIT_TRAP, "trap", "host", f"{type(error).__name__}: {error}"))
