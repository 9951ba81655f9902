"""A worker's place: the listener and the counters that stay when the process changes."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from wherry.engine.host import Host
from wherry.engine.http import worker
from wherry.engine.http.worker import Guest, Station
from wherry.engine.metering import Slot
from wherry.plan.model import RunPlan

BACKOFF = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a worker is started again, by how often it has died young."""

YOUNG = 10.0
"""Seconds: a worker that lived longer starts again at once."""

_PR_SET_PDEATHSIG = 1


def shares_of(concurrency: int, workers: int) -> list[int]:
    """The plan's concurrency, shared out: one share for each worker, none of them 0."""
    count = max(1, min(workers, concurrency))
    whole, rest = divmod(concurrency, count)
    return [whole + (i < rest) for i in range(count)]


@dataclass(frozen=True)
class Ended:
    """How a worker ended: an exit status, or a signal."""

    pid: int
    status: int
    signal: int

    def __str__(self) -> str:
        return f"signal {self.signal}" if self.signal else f"exit status {self.status}"


@dataclass
class Post:
    """pid: who is on duty, 0 for nobody. due: when the next one may start."""

    listener: socket.socket
    meter: Slot
    concurrency: int
    pid: int = 0
    due: float = 0.0
    _born: float = 0.0
    _deaths: int = 0
    _old: set[int] = field(default_factory=set)
    _watches: dict[int, int] = field(default_factory=dict)

    @property
    def pids(self) -> list[int]:
        """All processes of this post, those that drain too."""
        return [*self._old, *([self.pid] if self.pid else [])]

    def start(self, plan: RunPlan, host: Host, guest: Guest, others: Sequence[socket.socket]) -> int:
        """Fork a worker; a pidfd that becomes readable when it ends. others: sockets that are not its business."""
        parent = os.getpid()
        # A worker takes these signals once it can drain: until then they wait.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, worker.RETIRE})
        self.pid = os.fork()
        if not self.pid:
            _leave_with(parent)
            for other in others:
                other.close()
            worker.main(plan, host.serving, self.station(host), guest)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, worker.RETIRE})
        self._born = time.monotonic()
        watch = os.pidfd_open(self.pid)
        self._watches[watch] = self.pid
        return watch

    def station(self, host: Host) -> Station:
        return Station(self.listener, self.meter, self.concurrency, host.stdio[2], host.traps)

    def relieve(self) -> None:
        """Another one is about to take over."""
        if self.pid:
            self._old.add(self.pid)
        self.pid = 0
        self._deaths = 0

    def dismiss(self) -> None:
        """Those who were relieved finish what they have and go."""
        for pid in self._old:
            os.kill(pid, worker.RETIRE)

    def reap(self, watch: int) -> Ended:
        """Take leave of the process that `watch` tells has ended."""
        pid = self._watches.pop(watch)
        os.close(watch)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if pid == self.pid:
            self._died(time.monotonic())
        self._old.discard(pid)
        return Ended(pid, max(code, 0), max(-code, 0))

    def _died(self, now: float) -> None:
        self._deaths = self._deaths + 1 if now - self._born < YOUNG else 0
        self.due = now + BACKOFF[min(self._deaths, len(BACKOFF) - 1)]
        self.pid = 0
        self.meter.end()


def _leave_with(parent: int) -> None:
    """A worker does not outlive its supervisor, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
