"""Functions that workers run, whose code is moved together before processes are forked.

Python writes to the code that it runs: counters, and instructions for what it has met (PEP 659). Of all that is
imported a worker runs little, here and there, and would copy 4 KiB of its parent's memory for each place.
"""

from __future__ import annotations

import gc
from collections.abc import Collection
from importlib import resources
from types import CodeType, FunctionType

_LIST = resources.files("wherry_shim") / "worker" / "functions.txt"


def of_workers() -> list[str]:
    """`module:qualified name`, as `make functions` has seen a worker run them; some may be of another Python."""
    return _LIST.read_text("ascii").splitlines()


def gather(names: Collection[str]) -> None:
    """Give these functions copies of their code, made one after the other; names that nobody has do nothing.

    A function within a function is a constant of its code, which is copied with it.
    """
    copies = _Copies(frozenset(names))
    for each in gc.get_objects():
        if isinstance(each, FunctionType):
            code = copies.of(each.__code__, each.__globals__.get("__name__"))
            if code is not each.__code__:
                each.__code__ = code


class _Copies:
    """What code becomes: itself, unless it or something within has one of the names."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._made: dict[int, tuple[CodeType, CodeType]] = {}  # what is copied stays, or its id would be another's

    def of(self, code: CodeType, module: object) -> CodeType:
        if id(code) not in self._made:
            self._made[id(code)] = code, self._copy(code, module)
        return self._made[id(code)][1]

    def _copy(self, code: CodeType, module: object) -> CodeType:
        parts = tuple(self.of(each, module) if isinstance(each, CodeType) else each for each in code.co_consts)
        changed = any(new is not old for new, old in zip(parts, code.co_consts, strict=True))
        wanted = f"{module}:{code.co_qualname}" in self._names
        return code.replace(co_consts=parts) if changed or wanted else code
