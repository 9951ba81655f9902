"""What one thread needs to run guests, prepared once: buffers for the C API, and a store for each request.

The hot path of the engine is here and in `module.py` or `component.py`: straight lines and short calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import Array, addressof, byref, c_char_p, c_size_t, c_uint64, c_void_p, cast
from dataclasses import dataclass
from time import monotonic, monotonic_ns, sleep
from typing import Any
from weakref import ref

from wherry.engine import capi
from wherry.engine.calls import Calls, Step
from wherry.engine.config import CORE_PER_COMPONENT, MEMORIES_PER_COMPONENT, TABLE_ELEMENTS, TABLES_PER_COMPONENT
from wherry.engine.http.cgi import Shape
from wherry.engine.http.exchange import Exchange
from wherry.engine.http.head import MAX_FIELDS
from wherry.engine.http.memories import Lease
from wherry.engine.routines import itself, spread
from wherry.engine.traps import ending_of_error
from wherry.plan.ending import Ending
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
    """A C array of C strings."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.count = len(texts)
        self._array: Array[c_char_p] = (c_char_p * self.count)(*texts)
        self.address = addressof(self._array)


class Bench:
    """One thread's store, as its guest needs it: at most one exchange at a time.

    `opening` are the calls that make a fresh store, for a list that goes on with them and may end with `closing`.
    Between `open` and `close` the store may `rest`, and serve `again`. A guest that sleeps asks `sleep`, one that
    computes asks the epoch callback; both end it when its exchange is cancelled.
    """

    def __init__(self, grants: Grants, lease: Lease | None, constant_env: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """lease: of its stores' memories; None when they come from the engine's pool."""
        self._grants, self._lease = grants, lease
        fixed = [*constant_env, *grants.env]
        self._fixed = [name for name, _ in fixed]
        self._names_of: dict[Shape, Strings] = {}
        self._shape: Shape | None = None
        self._fixed_values = b"".join(value + b"\0" for _, value in fixed)
        self._values = (c_void_p * (len(fixed) + MAX_VARIABLES))()
        self._argv = Strings(grants.argv)
        self._wasi, self._store, self.context = c_void_p(), c_void_p(), c_void_p()
        self._count, self._names, self._text, self._stdout = c_size_t(), c_void_p(), c_char_p(), c_char_p()
        self._vector = capi.Bytes()
        self._fuel, self._given = c_uint64(), grants.limits.fuel
        self._exchange: Exchange | None = None
        bench = ref(self)  # a callback that held its bench would keep it from going with its thread
        self._callback = capi.DeadlineCall(lambda _context, _data, ticks, _kind: _at_epoch(bench(), ticks))
        self.zero = 0
        self.opening = (*self._config(), *self._fresh())
        self.closing = self._gone()

    def _config(self) -> list[Step]:
        """What the guest is given, in a wasi_config_t. The first call is left out when there is one already."""
        wasi, argv, values = self._wasi, self._argv, c_void_p(addressof(self._values))
        mounts = [(c_char_p(host), c_char_p(guest), c_size_t(write)) for host, guest, write in self._grants.mounts]
        return [
            Step(capi.wasi_config_new, into=wasi),
            Step(spread, (self._text, values, self._count)),
            Step(capi.wasi_config_set_env, (wasi, self._count, self._names, values)),
            Step(capi.wasi_config_set_argv, (wasi, c_size_t(argv.count), c_void_p(argv.address))),
            *(Step(capi.wasi_config_preopen_dir, (wasi, *mount)) for mount in mounts),
            Step(capi.wasi_config_set_stdout_file, (wasi, self._stdout)),
            Step(capi.wasi_config_inherit_stderr, (wasi,)),
        ]

    def _fresh(self) -> list[Step]:
        """A store that takes the configuration over before anything can fail.

        It has no limiter where the engine's pool ends what grows.
        """
        store, context, null = self._store, self.context, c_void_p()
        fuel = self._given
        return [
            Step(capi.store_new, (c_void_p(self._grants.pointer), null, null), into=store),
            Step(capi.store_context, (store,), into=context),
            Step(capi.context_set_wasi, (context, self._wasi)),
            Step(capi.store_epoch_deadline_callback, (store, cast(self._callback, c_void_p), null, null)),
            Step(capi.context_set_epoch_deadline, (context, c_uint64(1))),
            *([] if self._lease is None else [Step(capi.store_limiter, (store, *_most(self._grants.limits)))]),
            *([] if fuel is None else [Step(capi.context_set_fuel, (context, c_uint64(fuel)))]),
        ]

    def _gone(self) -> tuple[Step, ...]:
        """A store that is no more, and known not to be."""
        fuel, null = c_void_p(addressof(self._fuel)), c_void_p()
        counted = [] if self._given is None else [Step(capi.context_get_fuel, (self.context, fuel))]
        forgotten = (Step(itself, (null,), into=place) for place in (self._store, self._wasi))
        return (*counted, Step(capi.store_delete, (self._store,)), *forgotten)

    def open(self, exchange: Exchange, shape: Shape, values: bytes) -> int:
        """Get ready for this exchange: how many calls of `opening` are to be left out.

        shape, values: its own variables, as `cgi.environment` has them. Raises OSError.
        """
        assert exchange.stdout is not None  # noqa: S101 - narrows the type
        self._exchange = exchange
        if shape is not self._shape:
            self._name(shape)
        self._text.value, self._stdout.value = self._fixed_values + values, exchange.stdout.path
        self.zero = monotonic_ns()
        if self._lease is not None:
            self._lease.begin()
        return self._with_stdin(exchange) if exchange.body or exchange.stdin is not None else 0

    def _with_stdin(self, exchange: Exchange) -> int:
        wasi = self._wasi.value = capi.wasi_config_new()
        if exchange.stdin is not None:
            found = capi.wasi_config_set_stdin_file(wasi, exchange.stdin.path)
            exchange.stdin.opened()
            if not found:
                raise OSError("a body's pipe cannot be opened")
        else:
            body = b"".join(exchange.body)
            capi.byte_vec_new(byref(self._vector), len(body), body)
            capi.wasi_config_set_stdin_bytes(wasi, byref(self._vector))
        return 1

    def again(self, exchange: Exchange) -> None:
        """The open store is for this exchange now, which needs no stdin and has the same stdout; with new fuel."""
        self._exchange = exchange
        if self._given is not None:
            capi.context_set_fuel(self.context, self._given)

    def rest(self) -> None:
        """The store stays open, without an exchange."""
        self._exchange = None

    def _name(self, shape: Shape) -> None:
        """Have the names in a C array: kept, because clients send the same fields again and again."""
        names = self._names_of.get(shape)
        if names is None:
            if len(self._names_of) == MAX_SHAPES:
                self._names_of.clear()
            names = self._names_of[shape] = Strings([*self._fixed, *shape.names])
        self._shape, self._count.value, self._names.value = shape, names.count, names.address

    def fuel_used(self) -> int:
        """Of the exchange's store; 0 when fuel is not counted."""
        if (given := self._given) is None:
            return 0
        if self._store.value and (error := capi.context_get_fuel(self.context, byref(self._fuel))):
            capi.error_delete(error)
        return given - self._fuel.value

    def close(self) -> None:
        """Drop the store and all that the guest held, unless `closing` did."""
        self._exchange = None
        if self._wasi.value:
            self._delete()
        if self._lease is not None:
            self._lease.end()

    def _delete(self) -> None:
        """The store, which has the configuration, or the configuration of a store that was never made."""
        if store := self._store.value:
            capi.store_delete(store)
        else:
            capi.wasi_config_delete(self._wasi)
        self._wasi.value = self._store.value = None

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


def _most(limits: Limits) -> tuple[c_uint64, ...]:
    """What the pool grants: bytes of a memory, elements of a table, core instances, tables, memories."""
    counts = TABLE_ELEMENTS, CORE_PER_COMPONENT, TABLES_PER_COMPONENT, MEMORIES_PER_COMPONENT
    return tuple(map(c_uint64, (limits.memory, *counts)))


def fault(calls: Calls, failed: Step) -> Ending:
    """What the failure of a list's call means. Raises RuntimeError when the engine gave no error for it."""
    if error := calls.take_error():
        return ending_of_error(error)
    raise RuntimeError(f"{failed.function.__name__} failed")


def _at_epoch(bench: Bench | None, ticks: Any) -> int | None:
    """The guest computes on, for one tick; or it ends here."""
    if bench is None or bench.interrupted:
        error: int = capi.error_new(b"interrupted")
        return error
    ticks[0] = 1
    return None
