"""One worker process: a loop, its connections, its guests. It ends by SIGTERM, after a drain."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import socket
import traceback
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from math import inf
from time import monotonic, time
from typing import NoReturn, Protocol

import uvloop

from wherry.engine.config import Engine
from wherry.engine.egress import Egress
from wherry.engine.host import Serving
from wherry.engine.http.connection import Connection
from wherry.engine.http.exchange import Exchange, Outcome
from wherry.engine.http.journal import Journal
from wherry.engine.http.pipes import ResponsePipes
from wherry.engine.http.pool import LASTING_AGE, QUICK_THREADS, Call, Pool
from wherry.engine.http.reply import ResponseHead, date_line
from wherry.engine.metering import COUNTERS, Slot, resident_bytes
from wherry.plan.model import RunPlan

TICK = 0.005
"""Seconds between epochs while requests are in flight: how late a limit may be noticed."""

RETIRE = signal.SIGUSR1
"""Tells a worker that another one has taken its place."""

CUT = 3
"""Exit status of a worker that had to cut requests off at the end of its drain."""

HOUSEKEEPING = 1.0
IDLE_HOUSEKEEPING = 10.0

_INSTANCES, _CPU, _FUEL = COUNTERS["instances"], COUNTERS["cpu_microseconds"], COUNTERS["fuel"]
_BYTES_IN, _BYTES_OUT = COUNTERS["bytes_in"], COUNTERS["bytes_out"]
_IN_FLIGHT, _QUEUED = COUNTERS["in_flight"], COUNTERS["queued"]


class Guest(Protocol):
    """What a worker serves: loaded code that was made before the fork.

    single: why an instance serves one request, whatever the host says; empty when it may serve more.
    """

    engine: Engine
    egress: tuple[int, str]
    outbound: bool
    single: str

    def find_head(self, output: bytes | bytearray, given: bytes | None) -> tuple[ResponseHead, int] | None:
        """The response head in what the guest wrote to stdout, or the one it gave otherwise; and where the body begins.

        None while there is none; BadResponse when it is not fit for HTTP.
        """
        ...

    def new_call(self) -> Call:
        """A Call for the thread that asks."""
        ...

    def close(self) -> None:
        """Free it, where no worker runs it."""
        ...


@dataclass(frozen=True)
class Station:
    """Where one worker stands: its listening socket, its counters, its share of the plan's concurrency, its log.

    traps: see Host.
    """

    listener: socket.socket
    meter: Slot
    concurrency: int
    log: int
    traps: int | None


class Worker:
    """What connections and exchanges share. Everything runs on `loop`, but for the guests' own threads."""

    def __init__(self, plan: RunPlan, serving: Serving, station: Station, guest: Guest) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.timeout = plan.limits.timeout or inf
        self.max_body = serving.max_body
        self.patience = serving
        self.pipes = ResponsePipes()
        self.journal = Journal(station.log, serving.access_log, station.traps)
        self.meter = station.meter
        self.guest = guest
        self.draining = False
        self._cut = False
        self._drain = plan.drain
        self._over = asyncio.Event()
        self._timeout = plan.limits.timeout
        self._outbound = plan.outbound
        self._listener = station.listener
        # A guest that sends requests waits for their answers: it is quick, and still needs a thread of its own.
        quick = station.concurrency if guest.outbound else QUICK_THREADS
        # The kernel may hand most connections to one worker: its queue takes what the whole plan's may hold.
        room = 2 * plan.limits.concurrency
        self._pool = Pool(self.loop, station.concurrency, room, guest.new_call, quick)
        self._connections: set[Connection] = set()
        self._open: set[Exchange] = set()
        self._ticking = False
        self._sampled = monotonic()
        self._housekeeping = self.loop.call_soon(self._housekeep)
        self._date = (0, b"")
        self._id_prefix = secrets.token_hex(6).encode()
        self._ids = 0

    # Life

    def run(self, stops: Iterable[signal.Signals] = (signal.SIGTERM,)) -> bool:
        """Serve until one of these signals and the end of the drain; whether requests had to be cut off."""
        self.meter.begin()
        asyncio.set_event_loop(self.loop)
        for number in stops:
            self.loop.add_signal_handler(number, self._begin_drain)
        self.loop.add_signal_handler(RETIRE, self._retire)
        self.loop.run_until_complete(self._serve())
        self._sample()
        self.meter.end()
        return self._cut

    async def _serve(self) -> None:
        """Until `_over`; guests that may send requests have their way out meanwhile."""
        async with AsyncExitStack() as stack:
            if self.guest.outbound:
                egress = Egress(self._outbound, log=self.journal.say, timeout=self._timeout)
                await stack.enter_async_context(egress)
                self.guest.egress = (egress.port, egress.secret)
            self._server = await self.loop.create_server(lambda: Connection(self), sock=self._listener.dup())
            self.loop.call_soon(signal.pthread_sigmask, signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, RETIRE})
            await self._over.wait()

    def _retire(self) -> None:
        """Another worker takes over: idle connections may ask once more, and are closed by the answer."""
        if not self.draining:
            self._stop_accepting()

    def _begin_drain(self) -> None:
        """The server ends: idle connections are closed now, the others by their answer."""
        if not self.draining:
            self._stop_accepting()
        for connection in list(self._connections):
            connection.drain()

    def _stop_accepting(self) -> None:
        self.draining = True
        self._server.close()
        self.loop.create_task(self._take_accepted())
        self.loop.call_later(self._drain, self._give_up)

    async def _take_accepted(self) -> None:
        """Serve the clients that the kernel has accepted for us already."""
        self._listener.setblocking(False)
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                break
            await self.loop.connect_accepted_socket(lambda: Connection(self), client)
        self._listener.close()
        self._end_if_idle()

    def _give_up(self) -> None:
        self._cut = bool(self._open)
        for exchange in list(self._open):
            exchange.cancel("shutdown", 503, "the server is shutting down")
        self.loop.call_later(4 * TICK, self._over.set)

    def _end_if_idle(self) -> None:
        if self.draining and self._listener.fileno() < 0 and not self._connections and not self._open:
            self._over.set()

    # What connections tell

    def connected(self, connection: Connection) -> None:
        if not self._connections:
            self._housekeeping.cancel()
            self._housekeeping = self.loop.call_later(HOUSEKEEPING, self._housekeep)
        self._connections.add(connection)

    def disconnected(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._end_if_idle()

    def refused(self) -> None:
        self.meter.add("bad_requests")

    def submit(self, exchange: Exchange) -> None:
        exchange.submitted = True
        if not self._pool.submit(exchange):
            self.meter.add("overloaded")
            exchange.answer(503, "too many requests at once")

    def withdraw(self, exchange: Exchange) -> None:
        self._pool.withdraw(exchange)

    # What exchanges tell

    def opened(self, exchange: Exchange) -> None:
        self._open.add(exchange)
        if not self._ticking:
            self._ticking = True
            self.loop.call_later(TICK, self._tick)

    def closed(self, exchange: Exchange) -> None:
        self._open.discard(exchange)
        if self.draining:
            self._end_if_idle()

    def count(self, exchange: Exchange, outcome: Outcome) -> None:
        """A guest has ended."""
        cells = self.meter.cells
        cells[_INSTANCES] += outcome.instances
        cells[_CPU] += int(outcome.seconds * 1e6)
        cells[_BYTES_IN] += exchange.received
        if outcome.fuel:
            cells[_FUEL] += outcome.fuel
        if outcome.ending.category != "exit" and not exchange.cancelled:
            self.meter.ended(outcome.ending.category, outcome.ending.reason)

    def settled(self, exchange: Exchange, status: int, sent: int, whole: bool) -> None:
        """A client has its answer, or never will."""
        seconds = monotonic() - exchange.began
        self.meter.cells[_BYTES_OUT] += sent
        if whole:
            self.meter.request(status, seconds)
        else:
            self.meter.add("requests_cut")
        if self.journal.access_enabled:
            self.journal.access(exchange.head, exchange.request_id, exchange.connection.peer[0], status, sent, seconds)

    def _gauge(self) -> None:
        self.meter.cells[_IN_FLIGHT] = self._pool.running
        self.meter.cells[_QUEUED] = self._pool.queued

    def new_request_id(self) -> bytes:
        self._ids += 1
        return b"%s%08x" % (self._id_prefix, self._ids)

    def date(self) -> bytes:
        now = int(time())
        if now != self._date[0]:
            self._date = (now, date_line(now))
        return self._date[1]

    # Clocks

    def _tick(self) -> None:
        self.guest.engine.tick()
        now, lasting = monotonic(), 0
        for exchange in list(self._open):
            exchange.tick(now)
            lasting += exchange.age >= LASTING_AGE
        self._pool.adapt(lasting)
        self._gauge()
        self._ticking = bool(self._open)
        if self._ticking:
            self.loop.call_later(TICK, self._tick)

    def _housekeep(self) -> None:
        self._sample()
        now = monotonic()
        for connection in list(self._connections):
            connection.check(now)
        self.meter.cells[COUNTERS["connections"]] = len(self._connections)
        pause = HOUSEKEEPING if self._connections else IDLE_HOUSEKEEPING
        self._housekeeping = self.loop.call_later(pause, self._housekeep)

    def _sample(self) -> None:
        """Memory-seconds since the last time, at what is resident now."""
        now, resident = monotonic(), resident_bytes()
        self.meter.add("memory_byte_seconds", int(resident * (now - self._sampled)))
        self.meter.cells[COUNTERS["resident_bytes"]] = resident
        self._sampled = now


def collect_rarely() -> None:
    """A request leaves no cycles behind, so that there is little to find."""
    gc.freeze()
    gc.set_threshold(10_000)


def main(plan: RunPlan, serving: Serving, station: Station, guest: Guest) -> NoReturn:
    """The life of a forked worker; the process ends with it, whatever guests still do."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ^C is the supervisor's to pass on
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        collect_rarely()
        status = CUT if Worker(plan, serving, station, guest).run() else 0
    except BaseException:  # a fork must never return into its parent's code
        traceback.print_exc()
    finally:
        os._exit(status)
