"""System calls as values: written down by one process, made by another that has no memory to spare.

Whatever a forked Python touches it has to copy, 4 KiB at a time, and each of Python's own functions lies somewhere
else. Calls that lie together, made by one function, take a few pages whatever their number.
"""

from __future__ import annotations

from collections.abc import Iterable

from wherry_shim.linux.libc import LIBC, check
from wherry_shim.linux.numbers import number

Call = tuple[str, tuple[int | bytes | None, ...]]
"""What is tried, for its error; the call's number and its arguments: whole numbers of 32 bits, and bytes for memory."""


def call(name: str, *arguments: int | bytes | None) -> Call:
    """Raises KeyError for a call that is not listed."""
    return name, (number(name), *arguments)


def make(calls: Iterable[Call]) -> None:
    """In their order. Raises OSError for the first that fails."""
    for name, values in calls:
        check(LIBC.syscall(*values), name)
