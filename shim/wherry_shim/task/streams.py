"""A task's stdin, stdout and stderr, as containerd names them, opened for the process that will have them.

containerd gives FIFOs. They are opened for reading and writing, so that a process neither waits for the other end nor
meets EPIPE: what it writes while containerd is away stays in the pipe, and when that is full, it waits. `file://` and
`binary://` are the other two forms of containerd's IO (docs/runtime-v2.md, "IO").

A container's first process writes to the FIFO itself: a copy would cost for its whole life. What others write is
copied, so that the FIFO can end although a grandchild of theirs keeps its stdout open.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from wherry.errors import StartError
from wherry_shim.reaper import Reaper
from wherry_shim.task import logger
from wherry_shim.task.logger import Logger, Owner
from wherry_shim.task.pump import Pump, Unread

_NULL = os.devnull
_CURE = "containerd makes it anew with the next attempt"


@dataclass(frozen=True, slots=True)
class Names:
    """As in CreateTaskRequest; "" is nowhere."""

    stdin: str = ""
    stdout: str = ""
    stderr: str = ""
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Sink:
    """Where output goes. fifo: what is in it is lost when the last descriptor is closed."""

    descriptor: int
    fifo: bool = False


class Streams:
    """The streams of one process, from before it is born until it is removed. Every end may be repeated.

    copied: see above. given: descriptors for the process.
    """

    def __init__(self, *, copied: bool = False) -> None:
        self._give = self._copied if copied else self._direct
        self.given = (-1, -1, -1)
        self._handed = ExitStack()
        self._held: list[int] = []
        self._unread: list[Unread] = []
        self._pumps: list[Pump] = []
        self._input_writer = -1
        self._logger: Logger | None = None

    async def open(self, names: Names, owner: Owner, reaper: Reaper) -> None:
        """Raises StartError; then nothing is open."""
        try:
            await self._open(names, owner, reaper)
        except OSError as fault:
            self.release()
            raise StartError("instantiate", f"stream {fault.filename}: {fault.strerror}", cure=_CURE) from fault
        except BaseException:
            self.release()
            raise

    def handed_over(self) -> None:
        """The process has its own."""
        self._handed.close()

    def end_input(self) -> None:
        """The process reads the end of its stdin as soon as containerd has closed it, too."""
        if self._input_writer >= 0:
            os.close(self._input_writer)
        self._input_writer = -1

    def end(self) -> None:
        """The process has ended: its FIFOs end when all of them is read."""
        self.handed_over()
        self.end_input()
        while self._held:
            self._unread.append(Unread(self._held.pop()))

    async def read(self) -> None:
        """Until everything that the process has written to FIFOs is read; it has ended."""
        for unread in self._unread:
            await unread.closed.wait()

    def release(self) -> None:
        """Everything ends now."""
        for pump in self._pumps:
            pump.stop()
        self.end()
        for unread in self._unread:
            unread.close()
        if self._logger:
            self._logger.end()
        self._logger = None

    async def _open(self, names: Names, owner: Owner, reaper: Reaper) -> None:
        stdin = self._handing(self.input(names.stdin))
        stdout, stderr = await self.sinks(names, owner, reaper)
        self.given = stdin, self._give(stdout), self._give(stderr)

    def input(self, name: str) -> int:
        """A reader, for the caller to close."""
        if not name:
            return os.open(_NULL, os.O_RDONLY | os.O_CLOEXEC)
        # A reader that opens before any writer must not take that for the end: this one writes nothing, and stays.
        self._input_writer = os.open(_path(name), os.O_RDWR | os.O_CLOEXEC)
        return os.open(_path(name), os.O_RDONLY | os.O_CLOEXEC)

    async def sinks(self, names: Names, owner: Owner, reaper: Reaper) -> tuple[Sink, Sink]:
        """For stdout and stderr. A program or file for stdout gets both, as from containerd's own shim."""
        scheme = urlsplit(names.stdout).scheme
        if scheme in logger.SCHEMES:
            self._logger = await logger.started(names.stdout, owner, reaper)
            return Sink(self._logger.stdout), Sink(self._logger.stderr)
        stdout = _sink(names.stdout)
        try:
            return stdout, Sink(os.dup(stdout.descriptor)) if scheme == "file" else _sink(names.stderr)
        except BaseException:
            os.close(stdout.descriptor)
            raise

    def pump(self, source: int, sink: Sink) -> None:
        """Copies until the source ends, and closes both."""

        def ended() -> None:
            os.close(source)
            if sink.fifo:
                self._unread.append(Unread(sink.descriptor))
            else:
                os.close(sink.descriptor)

        self._pumps.append(Pump(source, sink.descriptor, ended))

    def _copied(self, sink: Sink) -> int:
        if not sink.fifo:
            return self._handing(sink.descriptor)
        source, given = os.pipe2(os.O_CLOEXEC)
        self.pump(source, sink)
        return self._handing(given)

    def _direct(self, sink: Sink) -> int:
        if not sink.fifo:
            return self._handing(sink.descriptor)
        self._held.append(sink.descriptor)
        return sink.descriptor

    def _handing(self, descriptor: int) -> int:
        self._handed.callback(os.close, descriptor)
        return descriptor


def _sink(name: str) -> Sink:
    """Raises OSError that names the file."""
    if not name:
        return Sink(os.open(_NULL, os.O_WRONLY | os.O_CLOEXEC))
    if urlsplit(name).scheme == "file":
        path = unquote(urlsplit(name).path)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        return Sink(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644))
    path = _path(name)
    if stat.S_ISFIFO(os.stat(path).st_mode):
        return Sink(os.open(path, os.O_RDWR | os.O_CLOEXEC), fifo=True)
    return Sink(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))


def _path(name: str) -> str:
    parts = urlsplit(name)
    if not parts.scheme:
        return name
    if parts.scheme == "fifo":
        return unquote(parts.path)
    raise StartError("plan", f"stream {name!r}: got {parts.scheme}://, expected a FIFO's path, file:// or binary://")
