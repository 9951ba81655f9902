"""Ending a guest from outside the thread that runs it, and noticing that it should end."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wherry.engine.config import Engine
from wherry.plan.ending import Ending

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupt:
    """One guest's end, asked for by a deadline or a signal; the first asked counts.

    The guest stops at its next epoch check; if it sleeps in `poll_oneoff` it wakes first; if it waits for a stream,
    `release` lets that call return. Any thread may call any method; a signal handler may not. zero: see poll.Sleeper.
    """

    def __init__(self, engine: Engine, release: Callable[[], None]) -> None:
        self.ending: Ending | None = None
        self.zero = 0
        self._engine = engine
        self._release = release
        self._asked = threading.Event()
        self._over = False
        self._lock = threading.Lock()

    def end(self, ending: Ending) -> None:
        """Ask for the end; a guest that has ended by itself keeps its own ending."""
        with self._lock:
            if not self._over:
                self.ending = self.ending or ending
                self._engine.tick()
        self._asked.set()
        self._release()

    def sleep(self, seconds: float | None) -> bool:
        """Wait in the guest's stead. True when the guest shall end instead."""
        return self._asked.wait(seconds)

    def over(self) -> None:
        """The guest has ended: the engine may go away."""
        with self._lock:
            self._over = True


class Bell:
    """Wakes one waiting thread. Unlike a threading.Event it may be rung by a signal handler of that same thread."""

    def __init__(self) -> None:
        self._event = os.eventfd(0)

    def ring(self) -> None:
        os.eventfd_write(self._event, 1)

    def wait(self, seconds: float | None) -> bool:
        """True when it was rung in time; None waits for ever."""
        poll = select.poll()
        poll.register(self._event, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1000))

    def close(self) -> None:
        os.close(self._event)


@contextmanager
def signals_ring(bell: Bell) -> Iterator[list[int]]:
    """Within, SIGTERM and SIGINT ring the bell, and their numbers are listed in the order of their coming.

    A signal that is ignored stays ignored. Only the main thread may handle signals: in any other nothing is changed.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def handler(number: int, _frame: object) -> None:
        received.append(number)
        bell.ring()

    before = {number: signal.getsignal(number) for number in SIGNALS}
    handled = [number for number in SIGNALS if before[number] != signal.SIG_IGN]
    for number in handled:
        signal.signal(number, handler)
    try:
        yield received
    finally:
        for number in handled:
            signal.signal(number, before[number] or signal.SIG_DFL)
