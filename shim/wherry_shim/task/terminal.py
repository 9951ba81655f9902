"""A process's terminal: runc makes it and sends us its master side, and we copy (runc, docs/terminals.md).

The window's size is the terminal's own; the kernel tells the process that it changed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import struct
import termios
from pathlib import Path

from wherry.errors import StartError
from wherry_shim.reaper import Reaper
from wherry_shim.task.logger import Owner
from wherry_shim.task.streams import Names, Sink, Streams

_LONGEST = 1 << 10
_SIZE = struct.Struct("HHHH")
"""struct winsize: rows, columns, and two that nobody reads."""


class Terminal(Streams):
    """A process's streams that are one terminal. folder: for a socket, with a short path.

    socket: what runc is told as --console-socket.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.socket = folder / f"{secrets.token_hex(8)}.console"
        self._listener = socket.socket(socket.AF_UNIX)
        self._reader = -1
        self._sink: Sink | None = None
        self._master = -1

    def handed_over(self) -> None:
        """runc has ended well: its message is there. Raises StartError if it is not."""
        if self._sink is None:
            return
        self._master = self._received()
        sink, self._sink = self._sink, None
        self.pump(os.dup(self._master), sink)
        if self._reader >= 0:
            self.pump(self._reader, Sink(os.dup(self._master)))
            self._reader = -1
        self._shut()

    def resize(self, width: int, height: int) -> None:
        """In characters. Without effect before the terminal is there, and when it is gone."""
        if self._master >= 0:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, _SIZE.pack(height, width, 0, 0))

    def end(self) -> None:
        self._shut()
        self.end_input()

    def release(self) -> None:
        for descriptor in (self._master, self._reader, *([self._sink.descriptor] if self._sink else [])):
            if descriptor >= 0:
                os.close(descriptor)
        self._master, self._reader, self._sink = -1, -1, None
        super().release()

    async def _open(self, names: Names, owner: Owner, reaper: Reaper) -> None:
        self._listener.setblocking(False)
        self._listener.bind(str(self.socket))
        self._listener.listen(1)
        null = self._handing(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
        self.given = null, null, null
        if names.stdin:
            self._reader = self.input(names.stdin)
        self._sink, unused = await self.sinks(names, owner, reaper)
        os.close(unused.descriptor)

    def _received(self) -> int:
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.setblocking(False)
                _, files, _, _ = socket.recv_fds(connection, _LONGEST, 1, socket.MSG_CMSG_CLOEXEC)
            return files[0]
        except (OSError, IndexError) as fault:
            raise StartError("instantiate", "the runtime sent no terminal", cure="set its --console-socket") from fault

    def _shut(self) -> None:
        self._listener.close()
        self.socket.unlink(missing_ok=True)
        self._handed.close()
