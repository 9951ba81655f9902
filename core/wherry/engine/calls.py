"""C API calls that are made one after the other, without the interpreter between them.

A call by ctypes costs a fifth of a microsecond for its conversions, and a request needs fourteen. Here a list is
written once, of functions and of places that hold their arguments and take their results; one call of `routines.walk`
makes all of them and stops at the first that fails (docs/decisions/0039).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import addressof, c_bool, c_char_p, c_size_t, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any

from wherry.engine.routines import ARGUMENTS, RECORD, walk

Place = c_void_p | c_char_p | c_size_t | c_uint64
"""One word: an argument, or where a result goes. Its value may change between walks."""

_NOTHING, _ALL, _BYTE = 0, (1 << 64) - 1, 0xFF


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a function of `capi`.

    into: where its result goes. Without it, the function's result says whether it worked: true for a bool, NULL for an
    error. What returns nothing always works.
    """

    function: Callable[..., Any]
    arguments: tuple[Place, ...] = ()
    into: Place | None = None

    def __post_init__(self) -> None:
        takes = len(self.function.argtypes)  # type: ignore[attr-defined]
        if len(self.arguments) != takes or takes > ARGUMENTS:
            raise TypeError(f"{self.function} takes {takes} arguments, {len(self.arguments)} given")


class Calls:
    """A list that is ready to be made, by one thread at a time."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)  # the places must not go
        self._error, self._scrap, self._null = c_void_p(), c_uint64(), c_void_p()
        words = [word for step in steps for word in self._record(step)]
        self._table = (c_uint64 * len(words))(*words)
        self._first = addressof(self._table)
        self._end = self._first + len(steps) * RECORD

    def make(self, skip: int = 0) -> Step | None:
        """Make all but the first `skip`, without the interpreter's lock: the one that failed; None when all worked."""
        stopped = walk(self._first + skip * RECORD, self._end)
        return None if stopped == self._end else self._steps[(stopped - self._first) // RECORD]

    def take_error(self) -> int:
        """What the call that failed returned, for the caller to delete; 0 if it returned no error."""
        error, self._error.value = self._error.value or 0, None
        return error

    def _record(self, step: Step) -> list[int]:
        into, mask, expected = self._outcome(step)
        arguments = [*step.arguments, *[self._null] * (ARGUMENTS - len(step.arguments))]
        address = ctypes.cast(step.function, c_void_p).value or 0  # type: ignore[arg-type]
        return [address, addressof(into), mask, expected, *map(addressof, arguments)]

    def _outcome(self, step: Step) -> tuple[Place, int, int]:
        """Where a result goes, its bits that count, and what they must be."""
        result = step.function.restype  # type: ignore[attr-defined]
        if step.into is not None:
            return step.into, _NOTHING, 0
        if result is c_bool:
            return self._scrap, _BYTE, 1
        return (self._scrap, _NOTHING, 0) if result is None else (self._error, _ALL, 0)
