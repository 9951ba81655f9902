"""A task's stdin, stdout and stderr, as containerd names them, opened for the process that will have them.

containerd gives FIFOs. They are opened for reading and writing, so that a process neither waits for the other end nor
meets EPIPE: what it writes while containerd is away stays in the pipe. `file://` and `binary://` are the other two
forms of containerd's IO (docs/runtime-v2.md, "IO").
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from wherry_shim.ttrpc.codes import Code, RpcError

_NULL = "/dev/null"
READY_WITHIN = 10.0
"""Seconds for a logger to close its fifth descriptor."""


@dataclass(frozen=True, slots=True)
class Names:
    """As in CreateTaskRequest; "" is nowhere."""

    stdin: str = ""
    stdout: str = ""
    stderr: str = ""
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Logger:
    """A program that takes stdout and stderr: `binary:///path?key=value`. arguments: keys and values in their order."""

    program: str
    arguments: tuple[str, ...]


class Streams:
    """Open descriptors for the process: `given`. Close when the process has them; `end_input` when nobody writes more.

    logger: who reads what the process writes, on `outputs`, a pipe for each of stdout and stderr.
    """

    def __init__(self, names: Names) -> None:
        """Raises RpcError or OSError that names the stream."""
        self.logger: Logger | None = None
        self.outputs: tuple[int, int] = (-1, -1)
        self._input_writer = -1
        self._opened = ExitStack()
        with ExitStack() as stack:
            stack.callback(self.end_input)
            self.given = self._open(names, stack)
            stack.pop_all()

    def end_input(self) -> None:
        """The process reads the end of its stdin as soon as containerd has closed it, too."""
        if self._input_writer >= 0:
            os.close(self._input_writer)
        self._input_writer = -1

    def close(self) -> None:
        """The process has its own: ours are closed, but for the writer that keeps its stdin open."""
        self._opened.close()

    def _open(self, names: Names, failed: ExitStack) -> tuple[int, int, int]:
        failed.push(self._opened)
        stdin = self._keep(self._input(names.stdin))
        if names.stdout.startswith("binary:"):
            self.logger = logger(names.stdout)
            return stdin, self._piped(0), self._piped(1)
        return stdin, self._keep(_output(names.stdout)), self._keep(_output(names.stderr))

    def _keep(self, descriptor: int) -> int:
        self._opened.callback(os.close, descriptor)
        return descriptor

    def _input(self, name: str) -> int:
        if not name:
            return os.open(_NULL, os.O_RDONLY | os.O_CLOEXEC)
        # A reader that opens before any writer must not take that for the end: this one writes nothing, and stays.
        self._input_writer = os.open(_path(name), os.O_RDWR | os.O_CLOEXEC)
        return os.open(_path(name), os.O_RDONLY | os.O_CLOEXEC)

    def _piped(self, which: int) -> int:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        self.outputs = (reader, -1) if which == 0 else (self.outputs[0], reader)
        self._keep(reader)
        return self._keep(writer)


def logger(uri: str) -> Logger:
    """Raises RpcError for a relative path."""
    parts = urlsplit(uri)
    program = unquote(parts.path)
    if not program.startswith("/"):
        raise RpcError(Code.INVALID_ARGUMENT, f"stdout: got {uri!r}, expected binary:// and an absolute path")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    return Logger(program, tuple(word for pair in pairs for word in pair if word))


def _output(name: str) -> int:
    if not name:
        return os.open(_NULL, os.O_WRONLY | os.O_CLOEXEC)
    if name.startswith("file:"):
        path = unquote(urlsplit(name).path)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    path = _path(name)
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def _path(name: str) -> str:
    parts = urlsplit(name)
    if parts.scheme in {"", "fifo"}:
        return unquote(parts.path) if parts.scheme else name
    raise RpcError(
        Code.UNIMPLEMENTED, f"stream {name!r}: expected a FIFO's path, file:// or binary://, got {parts.scheme}://"
    )
