"""Children of a host and how they ended. The host is a subreaper: strangers' children are reaped, and forgotten.

The one place that waits for processes. It runs on the loop's thread, so that a child that ends at once is not missed
between its birth and `watch`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import OrderedDict

_REMEMBERED = 256
"""Endings of pids that nobody watches yet."""


class Reaper:
    """Futures of exit statuses as a shell tells them: the code, or 128 and the signal."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: dict[int, asyncio.Future[int]] = {}
        self._unclaimed: OrderedDict[int, int] = OrderedDict()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        loop.call_soon(self._reap)  # who ended before this was told of to nobody

    def watch(self, pid: int) -> asyncio.Future[int]:
        """Done when the process ends. Once for each child, as soon as its pid is known."""
        future: asyncio.Future[int] = self._loop.create_future()
        status = self._unclaimed.pop(pid, None)
        if status is not None and not os.path.exists(f"/proc/{pid}"):  # else a stranger's, whose number is in use again
            future.set_result(status)
        else:
            self._watched[pid] = future
        return future

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        status = 128 - code if code < 0 else code
        if future := self._watched.pop(pid, None):
            if not future.done():
                future.set_result(status)
            return
        self._unclaimed[pid] = status
        if len(self._unclaimed) > _REMEMBERED:
            self._unclaimed.popitem(last=False)
