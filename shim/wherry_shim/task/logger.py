"""A program that takes what a container writes: `binary:///path?key=value` (containerd, docs/runtime-v2.md, "Logging").

It gets stdout and stderr as descriptors 3 and 4, and closes 5 when it is ready; for `binary-v2` it writes a byte there
first. It ends by itself when both pipes end, or is told to when the container is removed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from wherry.errors import StartError
from wherry_shim.reaper import Reaper

SCHEMES = ("binary", "binary-v2")
READY_WITHIN = 10.0
"""Seconds for it to close its fifth descriptor."""

GRACE = 5.0
"""Seconds for it to end after its pipes ended, and again after SIGTERM."""

_ABOVE = 10
"""Where descriptors wait to be put to 3, 4 and 5: a number that is its own target would stay close-on-exec."""

_ENDING: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose streams: the namespace, and the container's or the exec's id."""

    namespace: str
    id: str


@dataclass(frozen=True, slots=True)
class Command:
    """scheme: one of SCHEMES. arguments: each key of the query and its first value."""

    scheme: str
    program: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Logger:
    """One that runs. stdout, stderr: where to write, for the caller to close."""

    stdout: int
    stderr: int
    pid: int
    ended: asyncio.Future[int]

    def end(self) -> None:
        """Nobody writes any more: it ends within twice the grace. Returns at once."""
        if not self.ended.done():
            ending = asyncio.get_running_loop().create_task(_end(self.pid, self.ended))
            _ENDING.add(ending)
            ending.add_done_callback(_ENDING.discard)


def command(uri: str) -> Command:
    """Raises StartError for a relative path. Pure."""
    parts = urlsplit(uri)
    program = unquote(parts.path)
    if not program.startswith("/") or parts.netloc:
        raise StartError("plan", f"stdout: got {uri!r}, expected {parts.scheme}:// and an absolute path")
    first: dict[str, str] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        first.setdefault(key, value)
    return Command(parts.scheme, program, tuple(word for pair in first.items() for word in pair))


async def started(uri: str, owner: Owner, reaper: Reaper) -> Logger:
    """A logger that is ready. Raises StartError."""
    wanted = command(uri)
    with ExitStack() as always, ExitStack() as theirs, ExitStack() as ours:
        readers, writers = zip(_pipe(theirs, ours), _pipe(theirs, ours), strict=True)
        ready, tells = _pipe(always, theirs)
        pid = _spawned(wanted, owner, [*readers, tells])
        logger = Logger(*writers, pid, reaper.watch(pid))
        theirs.close()
        ours.callback(logger.end)
        await _ready(ready, wanted)
        ours.pop_all()
        return logger


def _pipe(reading: ExitStack, writing: ExitStack) -> tuple[int, int]:
    """Each end is closed with its stack."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    reading.callback(os.close, reader)
    writing.callback(os.close, writer)
    return reader, writer


def _spawned(wanted: Command, owner: Owner, files: list[int]) -> int:
    with ExitStack() as stack:
        actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)
        ]
        for number, descriptor in enumerate(files, 3):
            high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
            stack.callback(os.close, high)
            actions.append((os.POSIX_SPAWN_DUP2, high, number))
        environment = {"CONTAINER_ID": owner.id, "CONTAINER_NAMESPACE": owner.namespace}
        arguments = [wanted.program, *wanted.arguments]
        try:
            return os.posix_spawn(
                wanted.program, arguments, environment, file_actions=actions, setsigdef=[signal.SIGPIPE]
            )
        except OSError as fault:
            raise StartError("plan", f"logger {wanted.program}: {fault.strerror}", cure="correct stdout") from fault


async def _ready(reader: int, wanted: Command) -> None:
    """Whether a `binary` ended instead of getting ready is not to be told, as in containerd."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()
    loop.add_reader(reader, _tell, told)
    try:
        async with asyncio.timeout(READY_WITHIN):
            await told
        said = os.read(reader, 1)
    except TimeoutError:
        raise StartError("instantiate", f"logger {wanted.program}: not ready within {READY_WITHIN:g} s") from None
    finally:
        loop.remove_reader(reader)
    if wanted.scheme == "binary-v2" and not said:
        raise StartError("instantiate", f"logger {wanted.program}: ended before it was ready")


def _tell(told: asyncio.Future[None]) -> None:
    if not told.done():
        told.set_result(None)


async def _end(pid: int, ended: asyncio.Future[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        await asyncio.wait({ended}, timeout=GRACE)
        if ended.done():
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
