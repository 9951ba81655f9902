"""The pipes between a worker and its guests: bodies flow through them with the kernel's own backpressure.

A response pipe is reused from request to request: the worker holds both ends, so that it never sees end of file; the
guest's end is told by its call. A request pipe is made for each body that is streamed, because the engine's background
reader may outlive the call.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable

CAPACITY = 256 << 10
"""Bytes that a guest may write before it waits, where the kernel lets us have them."""

PIECE = 64 << 10
"""Bytes that are read at once: room that is cheap to ask for, and more than most responses have."""

F_SETPIPE_SZ = 1031
F_GETPIPE_SZ = 1032


def _new_pipe() -> tuple[int, int]:
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    with contextlib.suppress(OSError):  # a user's pipes have a common limit (pipe(7)): a small one works as well
        fcntl.fcntl(writer, F_SETPIPE_SZ, CAPACITY)
    return reader, writer


class ResponsePipe:
    """A guest's stdout. `path` opens its write end anew, blocking, as the engine wants it."""

    __slots__ = ("_most", "path", "reader", "writer")

    def __init__(self) -> None:
        self.reader, self.writer = _new_pipe()
        self.path = b"/proc/self/fd/%d" % self.writer
        self._most = -(-fcntl.fcntl(self.writer, F_GETPIPE_SZ) // PIECE)

    def read(self) -> bytes:
        """All that is in it now, at most its capacity; empty when there is nothing."""
        try:
            data = os.read(self.reader, PIECE)
        except BlockingIOError:
            return b""
        return data if len(data) < PIECE else self._rest(data)

    def _rest(self, data: bytes) -> bytes:
        pieces = [data]
        while len(pieces[-1]) == PIECE and len(pieces) < self._most:
            try:
                pieces.append(os.read(self.reader, PIECE))
            except BlockingIOError:
                break
        return b"".join(pieces)

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


class ResponsePipes:
    """Pipes that wait for their next request."""

    def __init__(self) -> None:
        self._free: list[ResponsePipe] = []

    def take(self) -> ResponsePipe:
        return self._free.pop() if self._free else ResponsePipe()

    def give(self, pipe: ResponsePipe) -> None:
        """Return an empty pipe that no guest writes to."""
        self._free.append(pipe)

    def close(self) -> None:
        for pipe in self._free:
            pipe.close()
        self._free.clear()


class RequestPipe:
    """A guest's stdin, written by the loop. `full` and `room` are called as it blocks and when it can take more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, full: Callable[[], None], room: Callable[[], None]) -> None:
        self._loop, self._full, self._room = loop, full, room
        self._reader, self._writer = _new_pipe()
        # Opening an end by its path waits for the other end: this one stays until the guest has opened its own.
        self._holder = os.dup(self._writer)
        self._pending = bytearray()
        self._ended = False
        self.path = b"/proc/self/fd/%d" % self._reader

    def opened(self) -> None:
        """The guest has its end now. Called once, by the guest's thread."""
        os.close(self._reader)
        os.close(self._holder)

    def write(self, data: bytes) -> None:
        if self._writer < 0:
            return
        if self._pending:
            self._pending += data
            return
        sent = self._send(data)
        if sent < len(data) and self._writer >= 0:
            self._pending += memoryview(data)[sent:]
            self._loop.add_writer(self._writer, self._flush)
            self._full()

    def end(self) -> None:
        """No more data: the guest sees end of file after what is pending."""
        self._ended = True
        if not self._pending:
            self.close()

    def close(self) -> None:
        """Drop what is pending. The guest sees end of file."""
        if self._writer < 0:
            return
        if self._pending:
            self._loop.remove_writer(self._writer)
            self._pending.clear()
            self._room()
        os.close(self._writer)
        self._writer = -1

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._writer, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:  # the guest has ended and will not read the rest
            self.close()
            return 0

    def _flush(self) -> None:
        sent = self._send(self._pending)
        if self._writer < 0:
            return
        del self._pending[:sent]
        if not self._pending:
            self._loop.remove_writer(self._writer)
            self._room()
            if self._ended:
                self.close()
