"""`poll_oneoff` of WASI preview 1, in place of wasmtime's, whose sleep cannot be ended from outside.

Specification: WASI snapshot preview 1, `poll_oneoff`, `subscription` (48 bytes), `event` (32 bytes). Clocks: realtime
and monotonic, relative and absolute. File subscriptions are ready at once, which is true of files; a read of a quiet
stdin then waits, and that wait is ended by closing stdin.
"""

from __future__ import annotations

import ctypes
import struct
import threading
import time
from collections.abc import Callable, Iterable
from ctypes import byref, c_uint32
from dataclasses import dataclass
from typing import Protocol

from wherry.engine import capi, preview1

_SUBSCRIPTION = struct.Struct("<QB7xI4xQQH6x")  # userdata, tag, clock id or descriptor, timeout, precision, flags
_EVENT = struct.Struct("<QHB5xQH6x")  # userdata, errno, tag, nbytes, flags
_CLOCK = 0
_REALTIME, _MONOTONIC = 0, 1
_ABSOLUTE = 1
_SUCCESS, _FAULT, _INVAL = 0, 21, 28
_FILES = (1, 2)

MOST = 10_000
"""Subscriptions in one call: more would cost the host more memory than the guest has."""


class Sleeper(Protocol):
    """Who waits for one guest. zero: `time.monotonic_ns()` when its monotonic clock stood at 0."""

    zero: int

    def sleep(self, seconds: float | None) -> bool:
        """Wait; True when the guest shall end instead."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    userdata: int
    tag: int
    clock: int
    timeout: int
    flags: int

    def due(self, zero: int) -> int:
        """Nanoseconds from now; 0 or less is ready. Raises ValueError for what is no subscription."""
        if self.tag in _FILES:
            return 0
        if self.tag != _CLOCK or self.clock not in (_REALTIME, _MONOTONIC):
            raise ValueError("no such subscription")
        if not self.flags & _ABSOLUTE:
            return self.timeout
        now = time.time_ns() if self.clock == _REALTIME else time.monotonic_ns() - zero
        return self.timeout - now


def subscriptions(data: bytes) -> list[Subscription]:
    return [
        Subscription(userdata, tag, clock, timeout, flags)
        for userdata, tag, clock, timeout, _precision, flags in _SUBSCRIPTION.iter_unpack(data)
    ]


def events(ready: Iterable[Subscription]) -> bytes:
    return b"".join(_EVENT.pack(item.userdata, _SUCCESS, item.tag, int(item.tag in _FILES), 0) for item in ready)


def define(linker: int, sleeper_of: Callable[[int], Sleeper]) -> object:
    """Replace poll_oneoff in a module linker; sleeper_of: from a store's context. Keep the result while it is used."""

    def poll_oneoff(caller: int, values: int) -> None:
        sleeper = sleeper_of(capi.caller_context(caller))
        c_uint32.from_address(values).value = _poll(caller, values, sleeper)

    return preview1.define(linker, "poll_oneoff", parameters=4, results=1, function=poll_oneoff)


def _poll(caller: int, values: int, sleeper: Sleeper) -> int:
    source, target, count, found = (c_uint32.from_address(values + 16 * i).value for i in range(4))
    if not 0 < count <= MOST:
        return _INVAL
    memory = _Memory(caller)
    try:
        ready = _wait(subscriptions(memory.read(source, count * _SUBSCRIPTION.size)), sleeper)
        memory.write(target, events(ready))
        memory.write(found, len(ready).to_bytes(4, "little"))
    except IndexError:
        return _FAULT
    except ValueError:
        return _INVAL
    return _SUCCESS


def _wait(wanted: list[Subscription], sleeper: Sleeper) -> list[Subscription]:
    waits = [item.due(sleeper.zero) for item in wanted]
    first = max(0, min(waits))
    if first and sleeper.sleep(min(first / 1e9, threading.TIMEOUT_MAX)):
        raise InterruptedError("the guest was interrupted while it slept")
    return [item for item, wait in zip(wanted, waits, strict=True) if wait <= first]


class _Memory:
    """The calling guest's linear memory, checked. Raises IndexError."""

    def __init__(self, caller: int) -> None:
        export = capi.Extern()
        if not capi.caller_export_get(caller, b"memory", 6, byref(export)) or export.kind != capi.EXTERN_MEMORY:
            raise LookupError("the guest exports no memory")
        memory = ctypes.addressof(export) + capi.EXTERN_PAYLOAD
        context = capi.caller_context(caller)
        self._start: int = capi.memory_data(context, memory)
        self._size: int = capi.memory_data_size(context, memory)

    def read(self, at: int, size: int) -> bytes:
        return ctypes.string_at(self._place(at, size), size)

    def write(self, at: int, data: bytes) -> None:
        ctypes.memmove(self._place(at, len(data)), data, len(data))

    def _place(self, at: int, size: int) -> int:
        if at + size > self._size:
            raise IndexError(at)
        return self._start + at
