"""Ending a guest from outside the thread that runs it, and noticing that it should end."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
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
    """Wakes one waiting thread: for a signal, or by `ring`.

    A handler written in Python runs too late for a thread that is about to wait, or when another thread took the
    signal; so the interpreter itself rings, with the signal's number, from the moment that the signal comes.
    """

    OVER = 0

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ring(self) -> None:
        """The guest is over."""
        os.write(self._writer, bytes([self.OVER]))

    def wait(self, seconds: float | None) -> int | None:
        """The first that rang: a signal's number or OVER. None when nothing did in time; seconds None is for ever."""
        until = None if seconds is None else time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while poll.poll(None if until is None else max(0, until - time.monotonic()) * 1000):
            rang = os.read(self._reader, 1)[0]
            if rang == self.OVER or rang in SIGNALS:  # the interpreter rings for signals of others, too
                return rang
        return None

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Within, SIGTERM and SIGINT ring, and do nothing else. A signal that is ignored stays ignored.

        Only the main thread may handle signals: in any other nothing is changed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}
        handled = [number for number in SIGNALS if before[number] != signal.SIG_IGN]
        wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in handled:
            signal.signal(number, _nothing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handled)  # whoever started us may have kept one back until now
        try:
            yield
        finally:
            for number in handled:
                signal.signal(number, before[number] or signal.SIG_DFL)
            signal.set_wakeup_fd(wakeup)

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


def _nothing(_number: int, _frame: object) -> None:
    """The interpreter has rung already."""
