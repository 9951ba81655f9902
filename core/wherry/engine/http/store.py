"""What one thread needs to run guests, prepared once: buffers for the C API, and a store for each request.

The hot path of the engine is here and in `module.py` or `component.py`: straight lines and short calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import Array, addressof, c_char_p, c_uint64
from dataclasses import dataclass
from time import monotonic, monotonic_ns, sleep
from typing import Any
from weakref import ref

from wherry.engine import capi
from wherry.engine.http.exchange import Exchange
from wherry.engine.http.head import MAX_FIELDS
from wherry.engine.http.prefault import Prefault
from wherry.plan.model import Limits

MAX_VARIABLES = 2 * MAX_FIELDS
MAX_SHAPES = 64
"""Sets of names of variables that a thread remembers."""

SLICE = 0.02
"""Seconds: how long a sleeping guest may not notice that it shall end."""


@dataclass(frozen=True)
class Grants:
    """What every request's store is given, as the C API wants it. pointer: the engine's.

    mounts: the host's folder, the guest's, whether it may be written.
    """

    pointer: int
    argv: tuple[bytes, ...]
    env: tuple[tuple[bytes, bytes], ...]
    mounts: tuple[tuple[bytes, bytes, bool], ...]
    limits: Limits


class Strings:
    """A C array of C strings, with room for as many more behind them."""

    def __init__(self, texts: Sequence[bytes], room: int = 0) -> None:
        self.count = len(texts)
        self._array: Array[c_char_p] = (c_char_p * (self.count + room))(*texts)
        self.address = addressof(self._array)

    def fill(self, more: Sequence[bytes]) -> None:
        """Put these into the room behind the first ones."""
        self._array[self.count : self.count + len(more)] = more  # type: ignore[call-overload]


class Bench:
    """One thread's store, as its guest needs it: at most one exchange at a time.

    `store` and `context` are valid from `open` to `close`; meanwhile it may `rest`, and serve `again`. A guest that
    sleeps asks `sleep`, one that computes asks the epoch callback; both end it when its exchange is cancelled.
    """

    def __init__(self, grants: Grants, prefault: Prefault, constant_env: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._grants, self._prefault = grants, prefault
        fixed = [*constant_env, *grants.env]
        self._fixed = [name for name, _ in fixed]
        self._names: dict[tuple[bytes, ...], Strings] = {}
        self._values = Strings([value for _, value in fixed], MAX_VARIABLES)
        self._argv = Strings(grants.argv)
        self._vector = capi.Bytes()
        self._vector_at = addressof(self._vector)
        self._fuel = c_uint64()
        self._exchange: Exchange | None = None
        bench = ref(self)  # a callback that held its bench would keep it from going with its thread
        self._callback = capi.DeadlineCall(lambda _context, _data, ticks, _kind: _at_epoch(bench(), ticks))
        self.zero = 0
        self.store = 0
        self.context = 0

    def open(self, exchange: Exchange, names: tuple[bytes, ...], values: Sequence[bytes]) -> None:
        """A fresh store whose stdin and stdout are the exchange's. names, values: of its own environment.

        It has no limiter: memories come from the engine's pool, which ends them at limits.memory.
        """
        grants, limits = self._grants, self._grants.limits
        self._exchange = exchange
        wasi = self._wasi(exchange, names, values)
        self.store = store = capi.store_new(grants.pointer, None, None)
        self.context = context = capi.store_context(store)
        capi.store_epoch_deadline_callback(store, self._callback, None, None)
        capi.context_set_epoch_deadline(context, 1)
        if limits.fuel is not None:
            capi.context_set_fuel(context, limits.fuel)
        capi.context_set_wasi(context, wasi)
        self.zero = monotonic_ns()

    def again(self, exchange: Exchange) -> None:
        """The open store is for this exchange now, which needs no stdin and has the same stdout; with new fuel."""
        self._exchange = exchange
        if self._grants.limits.fuel is not None:
            capi.context_set_fuel(self.context, self._grants.limits.fuel)

    def rest(self) -> None:
        """The store stays open, without an exchange."""
        self._exchange = None

    def _wasi(self, exchange: Exchange, names: tuple[bytes, ...], values: Sequence[bytes]) -> int:
        grants = self._grants
        wasi: int = capi.wasi_config_new()
        variables = self._names.get(names) or self._keep(names)
        self._values.fill(values)
        capi.wasi_config_set_env(wasi, variables.count, variables.address, self._values.address)
        capi.wasi_config_set_argv(wasi, self._argv.count, self._argv.address)
        for host, guest, writable in grants.mounts:
            capi.wasi_config_preopen_dir(wasi, host, guest, writable)
        if exchange.stdin is not None:
            capi.wasi_config_set_stdin_file(wasi, exchange.stdin.path)
            exchange.stdin.opened()
        elif exchange.body:
            body = b"".join(exchange.body)
            capi.byte_vec_new(self._vector_at, len(body), body)
            capi.wasi_config_set_stdin_bytes(wasi, self._vector_at)
        assert exchange.stdout is not None  # noqa: S101 - narrows the type
        capi.wasi_config_set_stdout_file(wasi, exchange.stdout.path)
        capi.wasi_config_inherit_stderr(wasi)
        return wasi

    def _keep(self, names: tuple[bytes, ...]) -> Strings:
        """The names as a C array: kept, because clients send the same fields again and again."""
        if len(self._names) == MAX_SHAPES:
            self._names.clear()
        array = self._names[names] = Strings([*self._fixed, *names])
        return array

    def fuel_used(self) -> int:
        """Of the open store; 0 when fuel is not counted."""
        if (given := self._grants.limits.fuel) is None:
            return 0
        if error := capi.context_get_fuel(self.context, addressof(self._fuel)):
            capi.error_delete(error)
        return given - self._fuel.value

    def close(self) -> None:
        """Drop the store and all that the guest held."""
        self._prefault.drop(self.store)
        self._exchange = None

    def sleep(self, seconds: float | None) -> bool:
        """Wait in the guest's stead (`wherry.engine.poll.Sleeper`): True when it shall end instead."""
        exchange = self._exchange
        end = None if seconds is None else monotonic() + seconds
        while exchange is not None and not exchange.cancelled:
            left = SLICE if end is None else end - monotonic()
            if left <= 0:
                return False
            sleep(min(left, SLICE))
        return True

    @property
    def interrupted(self) -> bool:
        return self._exchange is None or bool(self._exchange.cancelled)


def _at_epoch(bench: Bench | None, ticks: Any) -> int | None:
    """The guest computes on, for one tick; or it ends here."""
    if bench is None or bench.interrupted:
        error: int = capi.error_new(b"interrupted")
        return error
    ticks[0] = 1
    return None
