"""The zygote: everything imported, nothing else. It forks shim hosts, and tells each pod which one is its own.

It keeps nothing of a bundle and runs no guest, so that its memory, which every pod's processes share, holds no secret.
It knows no pod: it may end at any time, and its successor goes on from the same folder.
"""

from __future__ import annotations

import fcntl
import gc
import os
import selectors
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from wherry.engine.machine import make_ahead
from wherry.errors import WherryError
from wherry_shim import answer, holes, immortal, neighbours, request
from wherry_shim.hosts import sweep
from wherry_shim.linux import holder
from wherry_shim.linux.clone import clone
from wherry_shim.linux.process import set_name
from wherry_shim.reply import Launcher
from wherry_shim.settings import Settings, from_environment
from wherry_shim.watchdog import Watchdog

_LINE_LIMIT = 1 << 16
"""Bytes: what a FIFO holds; a request has at most PIPE_BUF."""

_LAST_ANSWERS = 3.0
"""Seconds for children to answer after SIGTERM."""


class Zygote:
    """Answers launchers until SIGTERM."""

    def __init__(self, settings: Settings, watchdog: Watchdog) -> None:
        self._settings = settings
        self._watchdog = watchdog
        settings.state.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._alone = _only_one(settings.state / "zygote.lock")
        self._requests = _fifo(settings.state / "zygote.requests")
        self._alive = _fifo(settings.state / "zygote.alive")
        self._wakeups, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector = selectors.DefaultSelector()
        self._pid_file = settings.state / "zygote.pid"
        self._children: dict[int, Launcher] = {}
        self._answered: list[Launcher] = []
        self._received = b""
        self._stopping = False

    def run(self) -> None:
        self._selector.register(self._requests, selectors.EVENT_READ, self._receive)
        self._selector.register(self._wakeups, selectors.EVENT_READ, self._signalled)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._tell_pid()
        while not self._stopping:
            self._watchdog.tell()
            for key, _ in self._selector.select(self._patience()):
                key.data()
        self._finish()

    def _patience(self) -> float | None:
        """Seconds until there is something to do unasked, None for never. Launchers that did not end are told again."""
        now = time.monotonic()
        self._answered = [each for each in self._answered if each.again(now)]
        waits = [each.left(now) for each in self._answered]
        return min((*waits, *([self._watchdog.seconds] if self._watchdog.seconds else [])), default=None)

    def _tell_pid(self) -> None:
        """At once, or a launcher that reads meanwhile finds no zygote."""
        fresh = self._settings.state / "zygote.pid.new"
        fresh.write_text(f"{os.getpid()}\n")
        fresh.replace(self._pid_file)

    def _finish(self) -> None:
        """Nobody asks any more; who has asked is answered. Launchers that wait see this process end."""
        self._pid_file.unlink(missing_ok=True)
        with suppress(BlockingIOError):
            while True:
                self._receive()
        limit = time.monotonic() + _LAST_ANSWERS
        for each in self._answered:
            each.settle()
        while not all(each.is_gone() for each in self._children.values()) and time.monotonic() < limit:
            time.sleep(0.005)

    def _receive(self) -> None:
        *lines, self._received = (self._received + os.read(self._requests, _LINE_LIMIT)).split(b"\n")
        if len(self._received) > _LINE_LIMIT:
            self._received = b""
        for line in lines:
            pid = line.partition(b"\t")[0]
            # Nobody waits for the answer to anything else: it is garbage, or its launcher has given up.
            if pid.isdigit() and (launcher := Launcher.waiting(int(pid[:20]), self._alive)):
                self._take(os.fsdecode(line), launcher)

    def _take(self, line: str, launcher: Launcher) -> None:
        try:
            asked = request.parse(line)
            if answered := answer.at_once(asked, self._settings):
                launcher.succeed(answered)
            else:
                self._fork(asked, launcher)
                return
        except (WherryError, OSError, ValueError) as fault:
            launcher.fail(f"wherry: {fault}")
        self._answered.append(launcher)

    def _fork(self, asked: request.Request, launcher: Launcher) -> None:
        """A child answers. Raises OSError."""
        if pid := clone():
            self._children[pid] = launcher
            return
        self._become_child()
        answer.main(asked, self._settings, launcher)

    def _become_child(self) -> None:
        """Everything of the zygote's is closed: a launcher that waits must see it end when it ends."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        self._selector.close()
        self._watchdog.close()
        for descriptor in (self._requests, self._alive, self._wakeups, self._waker, self._alone):
            os.close(descriptor)
        for launcher in (*self._children.values(), *self._answered):
            launcher.close()

    def _signalled(self) -> None:
        numbers = os.read(self._wakeups, 512)
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._stopping = True
        with suppress(ChildProcessError):
            while (reaped := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended(*reaped)

    def _ended(self, pid: int, status: int) -> None:
        """A child that was killed may have answered nobody: its launcher is told, unless that has ended."""
        launcher = self._children.pop(pid)
        if os.WIFSIGNALED(status):
            launcher.fail(f"the process that was to answer was ended by signal {os.WTERMSIG(status)}")
            self._answered.append(launcher)
            sweep(self._settings.hosts)  # it may have been a host, whose place nobody else removes
        else:
            launcher.close()


def _only_one(path: Path) -> int:
    """A descriptor that holds the lock. Raises OSError when another zygote runs."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _fifo(path: Path) -> int:
    if not path.is_fifo():
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def _install_holder(path: Path) -> None:
    """Written anew by each zygote: the one that is there may be of another version."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(holder.image(os.uname().machine, bound=True))
    fresh.chmod(0o500)
    fresh.replace(path)


def warm_up() -> None:
    """Have ready what every guest needs. Starts no thread."""
    os.environ["TOKIO_WORKER_THREADS"] = "1"  # the engine's; as many as there are processors cost a worker 100 KiB each
    make_ahead()
    gc.collect()
    holes.fill()  # so that the copies lie together; once more for the places of what was copied
    neighbours.gather(neighbours.of_workers())
    gc.collect()
    immortal.make_all()
    holes.fill()
    gc.freeze()


def main() -> int:
    """`python -m wherry_shim.zygote`. Exit status 1 and one line when it cannot run."""
    try:
        set_name("wherry-zygote")  # by which launchers know it
        settings = from_environment(os.environ)
        zygote = Zygote(settings, Watchdog(os.environ))
        sweep(settings.hosts)
        _install_holder(settings.holder)
    except BlockingIOError:
        print("wherry: another zygote runs already", file=sys.stderr)
        return 1
    except (WherryError, OSError) as fault:
        print(f"wherry: the zygote cannot start: {fault}", file=sys.stderr)
        return 1
    warm_up()
    zygote.run()
    os._exit(0)  # nothing is left to tidy up, and what is immortal cannot be


if __name__ == "__main__":
    sys.exit(main())
