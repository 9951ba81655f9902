"""The launcher, seen by who answers in its place: its stdout, and the signal that ends it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress


class Launcher:
    """Answer once. Without effect when the launcher is gone."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._process = -1
        with suppress(ProcessLookupError):
            self._process = os.pidfd_open(pid)

    def succeed(self, answer: bytes) -> None:
        self._end(answer, signal.SIGUSR1)

    def fail(self, reason: str) -> None:
        """containerd shows the reason inside its own error."""
        self._end(reason.encode(), signal.SIGTERM)

    def close(self) -> None:
        if self._process >= 0:
            os.close(self._process)
        self._process = -1

    def _end(self, answer: bytes, number: signal.Signals) -> None:
        with suppress(OSError):
            output = os.open(f"/proc/{self._pid}/fd/3", os.O_WRONLY)
            try:
                # Only a process that is still there owns that path: its number may be another's by now.
                signal.pidfd_send_signal(self._process, 0)
                os.write(output, answer)
            finally:
                os.close(output)
        with suppress(OSError):
            signal.pidfd_send_signal(self._process, number)
        self.close()
