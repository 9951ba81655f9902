"""Bytes from one open file to another on the loop, at the pace of the slower: no thread, and one block of memory.

Also the end of a FIFO: what is in it is lost with the last descriptor, so ours stays open until somebody has read it.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import termios
from collections.abc import Callable

_BLOCK = 1 << 15
_FIRST_LOOK, _LAST_LOOK = 0.001, 0.25
"""Seconds between looks at a FIFO that is not read: doubled from the first to the last."""


class Pump:
    """Copies until the source ends or `stop` is called; then `ended` is called once. It closes neither.

    The end of a terminal is EIO: nobody has it open any more. What the sink's other end refuses for good is dropped,
    so that the writer of the source is not held up.
    """

    def __init__(self, source: int, sink: int, ended: Callable[[], None] = lambda: None) -> None:
        self._source, self._sink = source, sink
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._running = True
        for descriptor in (source, sink):
            os.set_blocking(descriptor, False)
        self._loop.add_reader(source, self._read)

    def stop(self) -> None:
        """May be repeated."""
        if self._running:
            self._running = False
            self._loop.remove_reader(self._source)
            if self._rest:
                self._loop.remove_writer(self._sink)
            self._ended()

    def _read(self) -> None:
        try:
            block = os.read(self._source, _BLOCK)
        except BlockingIOError:
            return
        except OSError:
            block = b""
        if not block:
            self.stop()
        elif rest := self._written(block):
            self._rest = rest
            self._loop.remove_reader(self._source)
            self._loop.add_writer(self._sink, self._write_rest)

    def _write_rest(self) -> None:
        self._rest = self._written(self._rest)
        if not self._rest:
            self._loop.remove_writer(self._sink)
            self._loop.add_reader(self._source, self._read)

    def _written(self, block: bytes) -> bytes:
        """What the sink did not take."""
        try:
            return block[os.write(self._sink, block) :]
        except BlockingIOError:
            return block
        except OSError:
            return b""


class Unread:
    """A FIFO that nobody writes to any more: closed when it was read to its end. Looked at, because none tells."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pause = _FIRST_LOOK
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.closed = asyncio.Event()
        self._look()

    def close(self) -> None:
        """Now, whatever is in it. May be repeated."""
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self.closed.set()

    def _look(self) -> None:
        if not _waiting(self._descriptor):
            self.close()
            return
        self._timer = self._loop.call_later(self._pause, self._look)
        self._pause = min(2 * self._pause, _LAST_LOOK)


def _waiting(fifo: int) -> int:
    """Bytes in it."""
    count = array.array("i", [0])
    fcntl.ioctl(fifo, termios.FIONREAD, count)
    return count[0]
