"""`run: command`: a guest that runs once, on streams of this process, until it ends or must end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from wherry.engine import capi, code, metering, wasi
from wherry.engine.guest import Component, Module, Usage, WayOut, run_once
from wherry.engine.host import Host
from wherry.engine.interrupt import Bell, Interrupt
from wherry.engine.machine import machine_for
from wherry.engine.prepare import Prepared
from wherry.engine.stdio import Stdio
from wherry.engine.store import Store
from wherry.engine.thread import start_guest_thread
from wherry.engine.traps import with_memory
from wherry.errors import StartError
from wherry.plan.ending import EXIT_LIMIT, Ending, exited, signalled
from wherry.plan.model import RunPlan

GRACE = 1.0
"""Seconds that a guest which must end is given to leave a host call; after that it is left behind."""


class Command:
    """A guest whose code is loaded. Nothing of it needs this host's files any more, but for what the plan grants."""

    def __init__(self, prepared: Prepared, host: Host) -> None:
        """Raises StartError."""
        self._plan = prepared.plan
        self._host = host
        self._program = _Program(prepared)

    def run(self, _reload: object = None) -> Ending:
        """Run to the end, once; SIGTERM and SIGINT end it when this is the main thread. Raises StartError."""
        with _way_out(self._plan, self._host, self._program.build.adapter) as way_out:
            return _Session(self._plan, self._host, self._program, way_out).run()

    def close(self) -> None:
        """Free what was loaded; without effect after `run`."""
        self._program.close()


@contextmanager
def _way_out(plan: RunPlan, host: Host, adapter: str) -> Iterator[WayOut | None]:
    if adapter != "command-outbound":
        yield None
        return
    # Few commands call out: the rest need not pay for a proxy's imports.
    from wherry.engine.egress import egress_thread  # noqa: PLC0415

    def log(line: str) -> None:
        with suppress(OSError):  # its reader is gone
            os.write(host.stdio[2], f"wherry: {line}\n".encode())

    timeout = plan.limits.timeout
    with egress_thread(plan.outbound, log=log, timeout=timeout) as egress:
        yield WayOut(egress.port, egress.secret, None if timeout is None else time.monotonic() + timeout)


class _Program:
    """A machine with loaded code, and how to enter it."""

    def __init__(self, prepared: Prepared) -> None:
        self.build = prepared.build
        self.entry = prepared.entry
        self._machine = machine_for(prepared.build)
        self.engine = self._machine.engine
        try:
            self.code = code.load(self.engine, prepared.code, prepared.kind)
        except StartError:
            self._machine.close()
            raise

    def linked(self, interrupt: Interrupt, way_out: WayOut | None) -> Module | Component:
        if self.code.kind == "component":
            return Component(self._machine, self.code, way_out)
        self._machine.interrupt = interrupt
        return Module(self._machine, self.code)

    def close(self) -> None:
        self.code.close()
        self._machine.close()


class _Session:
    """One run: the guest in a thread of its own; the calling thread waits for the first reason to end it."""

    def __init__(self, plan: RunPlan, host: Host, program: _Program, way_out: WayOut | None) -> None:
        self._plan = plan
        self._host = host
        self._program = program
        self._way_out = way_out
        self._stdio = Stdio(host.stdio)
        self._interrupt = Interrupt(program.engine, self._stdio.release)
        self._bell = Bell()
        self._outcome: Ending | BaseException = exited(0)
        self._usage = Usage()

    def run(self) -> Ending:
        started = time.monotonic()
        with self._bell.on_signals():
            guest = start_guest_thread(self._guest, "guest")
            if reason := self._reason(self._bell.wait(self._plan.limits.timeout)):
                self._interrupt.end(reason)
            guest.join(GRACE if reason else None)
        if not guest.is_alive():
            self._bell.close()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        ending = self._interrupt.ending or self._outcome
        self._meter(ending, time.monotonic() - started)
        return ending

    def _reason(self, rang: int | None) -> Ending | None:
        if rang == Bell.OVER:
            return None
        if rang:
            return signalled(rang)
        sentence = f"the guest ran longer than its {self._plan.limits.timeout:g} s"
        return Ending(EXIT_LIMIT, "limit", "timeout", sentence)

    def _guest(self) -> None:
        try:
            self._outcome = self._call()
        except BaseException as error:  # the waiting thread raises it
            self._outcome = error
        self._bell.ring()

    def _call(self) -> Ending:
        try:
            guest = self._program.linked(self._interrupt, self._way_out)
            store = self._store()
            try:
                ending, self._usage = run_once(guest, store, self._program.entry, self._interrupt)
            finally:
                store.close()
        finally:
            self._interrupt.over()
            self._stdio.finish()
            self._program.close()
        return with_memory(ending, self._usage.memory, self._plan.limits.memory)

    def _store(self) -> Store:
        config = wasi.new_config(self._plan)
        self._interrupt.zero = time.monotonic_ns()
        try:
            self._stdio.attach(config)
        except OSError as error:
            capi.wasi_config_delete(config)
            raise StartError("instantiate", f"the guest's streams {self._host.stdio}: {error}") from error
        return Store(self._program.engine, config, self._plan.limits)

    def _meter(self, ending: Ending, seconds: float) -> None:
        counters = metering.create(self._host.metrics, 1)
        slot = counters.slots[0]
        slot.begin()
        slot.add("commands")
        slot.add("instances")
        slot.add("cpu_microseconds", int(self._usage.cpu * 1e6))
        slot.add("memory_byte_seconds", int(self._usage.resident * seconds))
        slot.add("fuel", self._usage.fuel)
        slot.ended(ending.category, ending.reason)
        slot.end()
        self._host.report(metering.summary(counters.total()))
        counters.close()
