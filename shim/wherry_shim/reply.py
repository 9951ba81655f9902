"""The launcher, seen by who answers in its place: its stdout, and the signal that ends it.

A shell that looks for signals and then reads has missed the one in between: so it is repeated until the shell ends.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress

_OUTPUT, _ALIVE = 3, 4
"""The launcher's descriptors: its stdout, and the FIFO by which it sees the zygote end."""

_PAUSES = (0.002, 0.005, 0.01, *(0.02,) * 25)
"""Seconds from one signal to the next."""


class Launcher:
    """One that waits. Answer once; without effect when it is gone."""

    def __init__(self, pid: int, process: int) -> None:
        """process: its pidfd."""
        self._pid = pid
        self._process = process
        self._number = signal.SIGTERM
        self._pauses = iter(_PAUSES)
        self._next = 0.0

    @classmethod
    def waiting(cls, pid: int, alive: int) -> Launcher | None:
        """None for a process that is gone or is no launcher: whoever is one has `alive` open, our own FIFO."""
        try:
            process = os.pidfd_open(pid)
        except (OSError, OverflowError):
            return None
        with suppress(OSError):
            if pid != os.getpid() and os.path.samestat(os.stat(f"/proc/{pid}/fd/{_ALIVE}"), os.fstat(alive)):
                return cls(pid, process)
        os.close(process)
        return None

    def succeed(self, answer: bytes) -> None:
        self._end(answer, signal.SIGUSR1)

    def fail(self, reason: str) -> None:
        """containerd shows the reason inside its own error."""
        self._end(reason.encode(errors="backslashreplace"), signal.SIGTERM)

    def close(self) -> None:
        if self._process >= 0:
            os.close(self._process)
        self._process = -1

    def is_gone(self) -> bool:
        return self._ends_within(0)

    def left(self, now: float) -> float:
        """Seconds until `again` is due after an answer; 0 for at once, and for one that is gone. now: monotonic."""
        return 0.0 if self.is_gone() else max(0.0, self._next - now)

    def again(self, now: float) -> bool:
        """Signal once more, if it is time. Whether there is more to do; else it is closed."""
        if self.left(now):
            return True
        pause = next(self._pauses, None)
        if pause is None or self.is_gone():
            self.close()
            return False
        self._next = now + pause
        with suppress(OSError):
            signal.pidfd_send_signal(self._process, self._number)
        return True

    def settle(self) -> None:
        """Wait until it has ended after its answer."""
        while self.again(time.monotonic()):
            self._ends_within(self.left(time.monotonic()))

    def _end(self, answer: bytes, number: signal.Signals) -> None:
        with suppress(OSError):
            self._write(answer)
        self._number = number
        self.again(time.monotonic())

    def _write(self, answer: bytes) -> None:
        signal.pidfd_send_signal(self._process, 0)
        output = os.open(f"/proc/{self._pid}/fd/{_OUTPUT}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            # Only a process that is still there owns that path: its number may be another's by now.
            signal.pidfd_send_signal(self._process, 0)
            os.write(output, answer)
        finally:
            os.close(output)

    def _ends_within(self, seconds: float) -> bool:
        if self._process < 0:
            return True
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
