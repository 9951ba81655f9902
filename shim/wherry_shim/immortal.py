"""Objects that are never counted: what a zygote has made stays shared, however often its children use it.

To use an object, Python counts a reference in it, and so a forked process copies 4 KiB of its parent's memory. Since
3.12 there are immortal objects, which are not counted (PEP 683): Python makes few of them, we make all that there are.
They would have lived as long as the process anyway.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import sysconfig
import types

_VERSIONS = {(3, 12), (3, 13)}
"""Whose references are counted as this module takes it (Include/object.h)."""

_IMMORTAL = 0xFFFFFFFF


def is_possible() -> bool:
    """Of this interpreter."""
    usual = sys.implementation.name == "cpython" and sys.maxsize > 1 << 32
    return usual and sys.version_info[:2] in _VERSIONS and not sysconfig.get_config_var("Py_GIL_DISABLED")


def make_all() -> None:
    """Whatever can be reached now; without effect where it is not possible. In a process that ends by os._exit."""
    if not is_possible():
        return
    waiting, found = gc.get_objects(), dict[int, object]()  # what is found stays alive until it is immortal
    while waiting:
        one = waiting.pop()
        if id(one) in found or isinstance(one, types.FrameType):
            continue
        found[id(one)] = one
        waiting += gc.get_referents(one)
        if isinstance(one, types.CodeType):
            waiting += _parts(one)
    for address in found:
        ctypes.c_uint32.from_address(address).value = _IMMORTAL


def _parts(code: types.CodeType) -> list[object]:
    """What the collector does not tell: code cannot be part of a cycle."""
    return [getattr(code, name) for name in _CODE_PARTS]


_CODE_PARTS = (
    *("co_consts", "co_names", "co_filename", "co_name", "co_qualname"),
    *("co_linetable", "co_exceptiontable"),
)
