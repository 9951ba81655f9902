"""The guest's stdin, stdout and stderr, connected to open file descriptors of this process.

wasmtime takes only paths and its own process's 0, 1 and 2. A path is opened anew: that truncates a regular file,
blocks on a pipe without a reader and fails on a socket. So the guest gets this process's stdout and stderr as they are,
and for any other descriptor a pipe, whose other end a thread of ours copies (Pump); a pump can be ended while the
guest waits.
"""

from __future__ import annotations

import os
import select
import stat
import threading
from collections.abc import Callable

from wherry.engine import capi

_CHUNK = 1 << 16
_PATIENCE = 1.0  # seconds for a read that another reader of the same terminal made us wait for
_INPUT, _OUTPUT, _ERROR = 0, 1, 2


class Pump:
    """A thread that copies descriptor `source` to `target` until the end of either, or until `stop` is readable.

    It closes `owned`, one of the two, when it is done.
    """

    def __init__(self, source: int, target: int, owned: int, stop: int) -> None:
        self._source, self._target, self._owned, self._stop = source, target, owned, stop
        # Where a write could block, no more is written than poll() promises room for (PIPE_BUF).
        self._chunk = _CHUNK if stat.S_ISREG(os.fstat(target).st_mode) else select.PIPE_BUF
        self._thread = threading.Thread(target=self._run, name="stdio", daemon=True)
        self._thread.start()

    def ended(self, seconds: float | None = None) -> bool:
        """Wait for its end, at most so long."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self._ready(self._source, select.POLLIN) and (data := os.read(self._source, _CHUNK)):
                while data:
                    if not self._ready(self._target, select.POLLOUT):
                        return
                    data = data[os.write(self._target, data[: self._chunk]) :]
        except OSError:
            pass  # the other side has gone: there is nobody to tell
        finally:
            os.close(self._owned)

    def _ready(self, descriptor: int, what: int) -> bool:
        poll = select.poll()
        poll.register(descriptor, what)
        poll.register(self._stop, select.POLLIN)
        return all(found != self._stop for found, _ in poll.poll())


class Stdio:
    """Connects one guest's streams. After the guest's store is gone: `finish`."""

    def __init__(self, descriptors: tuple[int, int, int]) -> None:
        self._descriptors = descriptors
        self._stop = os.eventfd(0)
        self._lock = threading.Lock()
        self._finished = False
        self._opened: list[int] = []
        self._outputs: list[Pump] = []
        self._input: Pump | None = None

    def attach(self, config: int) -> None:
        """Set the three streams of a wasi_config_t. OSError when the host is out of descriptors."""
        source, output, errors = self._descriptors
        self._attach_input(config, source)
        path = self._attach_output(config, output, _OUTPUT)
        if path and os.path.sameopenfile(output, errors):
            _set(capi.wasi_config_set_stderr_file, config, path)
        else:
            self._attach_output(config, errors, _ERROR)

    def release(self) -> None:
        """Let a guest that waits for one of its streams go on: stdin ends, and outputs take no more."""
        with self._lock:
            if not self._finished:
                os.eventfd_write(self._stop, 1)

    def finish(self) -> None:
        """Pass on what the guest wrote, or stop trying at `release`; then close what was opened here."""
        while self._opened:
            os.close(self._opened.pop())
        for pump in self._outputs:
            pump.ended()
        with self._lock:
            self._finished = True
            os.eventfd_write(self._stop, 1)
        if self._input is None or self._input.ended(_PATIENCE):
            os.close(self._stop)

    def _attach_input(self, config: int, source: int) -> None:
        if source == _INPUT and os.isatty(source):
            capi.wasi_config_inherit_stdin(config)  # so that the guest, too, sees a terminal
        elif not (_rereadable(source) and capi.wasi_config_set_stdin_file(config, _path(source))):
            reader, writer = os.pipe()
            self._opened.append(reader)
            _set(capi.wasi_config_set_stdin_file, config, _path(reader))
            self._input = Pump(source, writer, writer, self._stop)

    def _attach_output(self, config: int, target: int, number: int) -> bytes | None:
        inherit, to_file = {
            _OUTPUT: (capi.wasi_config_inherit_stdout, capi.wasi_config_set_stdout_file),
            _ERROR: (capi.wasi_config_inherit_stderr, capi.wasi_config_set_stderr_file),
        }[number]
        if target == number:
            inherit(config)
            return None
        reader, writer = os.pipe()
        self._opened.append(writer)
        _set(to_file, config, _path(writer))
        self._outputs.append(Pump(reader, target, reader, self._stop))
        return _path(writer)


def _rereadable(source: int) -> bool:
    """A file that reads the same when it is opened anew: regular and at its start, or /dev/null."""
    status = os.fstat(source)
    if stat.S_ISREG(status.st_mode):
        return os.lseek(source, 0, os.SEEK_CUR) == 0
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)


def _path(descriptor: int) -> bytes:
    return b"/proc/self/fd/%d" % descriptor


def _set(set_file: Callable[[int, bytes], bool], config: int, path: bytes) -> None:
    if not set_file(config, path):
        raise OSError(f"{path.decode()}: the engine could not open this stream")
