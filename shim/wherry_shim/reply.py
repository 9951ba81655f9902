"""The launcher, seen by who answers in its place: its stdout, and the signal that ends it."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress

_OUTPUT, _ALIVE = 3, 4
"""The launcher's descriptors: its stdout, and the FIFO by which it sees the zygote end."""

_TRIES, _MILLISECONDS = 25, 20


class Launcher:
    """One that waits. Answer once; without effect when it is gone."""

    def __init__(self, pid: int, process: int) -> None:
        """process: its pidfd, closed with the answer."""
        self._pid = pid
        self._process = process

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
        return self._process < 0 or self._ends_within(0)

    def _end(self, answer: bytes, number: signal.Signals) -> None:
        """A shell that looks for signals and then reads has missed the one in between: so it is repeated."""
        with suppress(OSError):
            self._write(answer)
        with suppress(OSError):
            for _ in range(_TRIES):
                signal.pidfd_send_signal(self._process, number)
                if self._ends_within(_MILLISECONDS):
                    break
        self.close()

    def _write(self, answer: bytes) -> None:
        signal.pidfd_send_signal(self._process, 0)
        output = os.open(f"/proc/{self._pid}/fd/{_OUTPUT}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            # Only a process that is still there owns that path: its number may be another's by now.
            signal.pidfd_send_signal(self._process, 0)
            os.write(output, answer)
        finally:
            os.close(output)

    def _ends_within(self, milliseconds: int) -> bool:
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        return bool(poll.poll(milliseconds))
