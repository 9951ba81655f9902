"""Planners of one host: processes that plan one container after another, as many as there are processors.

One for each container would cost 7 ms of computing more: a process is cloned, copies each page that it writes, and is
torn down. One that has nothing to do ends soon. One that failed, or whose container did, is not asked again.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from wherry.errors import StartError
from wherry_shim.nursery import Nursery
from wherry_shim.order import LEAVE, PLANNER, WorkerOrder, check_report, words
from wherry_shim.reaper import Reaper

IDLE = 10.0
"""Seconds that a planner waits for the next container."""

PATIENCE = 0.05
"""Seconds that a container waits for a planner: the others may be compiling."""

EXPECTED = 0.005
"""Seconds from the expectation of a container to a planner's birth: who makes the pod's sandbox is answered first."""

_ENOUGH = os.cpu_count() or 1
_LIMIT = 1 << 16


class Planner:
    """One process. pidfd: by which a worker enters the namespaces that it is in."""

    def __init__(self, nursery: Nursery, reaper: Reaper) -> None:
        """Raises OSError, StartError."""
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._end.setblocking(False)
        try:
            pid = nursery.bear(PLANNER, b"", [theirs.fileno()])
            self.pidfd = os.pidfd_open(pid)
        except BaseException:
            self._end.close()
            raise
        finally:
            theirs.close()
        self.ended = reaper.watch(pid)

    @asynccontextmanager
    async def begun(self, order: WorkerOrder) -> AsyncIterator[int]:
        """Let it make and enter a worker's namespaces, and write the worker's start to this memfd."""
        memory = os.memfd_create("start", os.MFD_CLOEXEC)
        try:
            with suppress(OSError):  # of one that has ended; its silence will say so
                socket.send_fds(self._end, [words(order)], [memory])
            yield memory
        finally:
            os.close(memory)

    async def planned(self) -> None:
        """Both are done. Raises StartError: the guest cannot run."""
        told = b""
        with suppress(OSError):
            told = await asyncio.get_running_loop().sock_recv(self._end, _LIMIT)
        check_report(told, "the planner")

    def leave(self) -> None:
        """Nobody enters those namespaces any more."""
        with suppress(OSError):
            self._end.send(LEAVE)

    def close(self) -> None:
        """It ends. May be repeated."""
        self._end.close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
        self.pidfd = -1


class Planners:
    """Those of a host."""

    def __init__(self, nursery: Nursery, reaper: Reaper) -> None:
        self._nursery = nursery
        self._reaper = reaper
        self._all: set[Planner] = set()
        self._idle: dict[Planner, asyncio.TimerHandle] = {}
        self._waiting: deque[asyncio.Future[Planner]] = deque()

    def expect(self) -> None:
        """A container comes in a moment, 20 ms or more after its pod's sandbox: no need to wait for a birth then."""
        asyncio.get_running_loop().call_later(EXPECTED, self._have_one)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Planner]:
        """For one container; for the next one, too, if the block ends well. Raises OSError, StartError."""
        planner = self._taken() or await self._freed() or self._born()
        try:
            yield planner
        except BaseException:
            self._drop(planner)
            raise
        planner.leave()
        self._give_back(planner)

    def _have_one(self) -> None:
        if not self._idle and len(self._all) < _ENOUGH:
            with suppress(OSError, StartError):  # who needs it is told
                self._give_back(self._born())

    def _taken(self) -> Planner | None:
        if not self._idle:
            return None if len(self._all) >= _ENOUGH else self._born()
        planner, timer = self._idle.popitem()
        timer.cancel()
        return planner

    async def _freed(self) -> Planner | None:
        """Another's, as soon as that has done with it; None when that takes too long."""
        waits = asyncio.get_running_loop().create_future()
        self._waiting.append(waits)
        await asyncio.wait({waits}, timeout=PATIENCE)
        return None if waits.cancel() else waits.result()

    def _born(self) -> Planner:
        planner = Planner(self._nursery, self._reaper)
        self._all.add(planner)
        planner.ended.add_done_callback(lambda _: self._drop(planner))
        return planner

    def _give_back(self, planner: Planner) -> None:
        while self._waiting:
            if not (waits := self._waiting.popleft()).done():
                waits.set_result(planner)
                return
        self._idle[planner] = asyncio.get_running_loop().call_later(IDLE, self._drop, planner)

    def _drop(self, planner: Planner) -> None:
        """May be repeated."""
        self._all.discard(planner)
        if timer := self._idle.pop(planner, None):
            timer.cancel()
        planner.close()
