"""Threads that run guests."""

from __future__ import annotations

import threading
from collections.abc import Callable

STACK = 2 << 20
"""Bytes. A guest may use 512 KiB of it before it traps; without room for that, its recursion would end the process."""

_starting = threading.Lock()


def start_guest_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """A started daemon thread with a stack that is large enough for a guest, whatever `ulimit -s` says."""
    thread = threading.Thread(target=target, name=name, daemon=True)
    with _starting:
        before = threading.stack_size(STACK)
        try:
            thread.start()
        finally:
            threading.stack_size(before)
    return thread
