"""What becomes of a process's streams: FIFOs that somebody reads late or never, files, and programs that take logs."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import stat
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from wherry.errors import StartError
from wherry_shim.reaper import Reaper
from wherry_shim.task import logger
from wherry_shim.task.logger import Owner
from wherry_shim.task.streams import Names, Streams

OWNER = Owner("k8s.io", "c1")
F_GETPIPE_SZ = 1032
Play = Callable[[Callable[[Reaper], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def play() -> Play:
    """Runs a story on a loop of its own; one that leaves a descriptor open fails."""

    async def played(story: Callable[[Reaper], Coroutine[Any, Any, None]]) -> None:
        async with asyncio.timeout(60):
            await story(Reaper(asyncio.get_running_loop()))

    def run(story: Callable[[Reaper], Coroutine[Any, Any, None]]) -> None:
        before = set(os.listdir("/proc/self/fd"))
        asyncio.run(played(story))
        assert set(os.listdir("/proc/self/fd")) == before

    return run


@pytest.fixture
def names(tmp_path: Path) -> Names:
    """Three FIFOs."""
    paths = [str(tmp_path / name) for name in ("stdin", "stdout", "stderr")]
    for path in paths:
        os.mkfifo(path)
    return Names(paths[0], paths[1], paths[2])


async def opened(names: Names, reaper: Reaper, *, copied: bool = False) -> Streams:
    streams = Streams(copied=copied)
    await streams.open(names, OWNER, reaper)
    return streams


def is_open(path: str) -> bool:
    """Whether this process has it open."""
    return path in {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}


async def until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110 - of what tells nobody
        await asyncio.sleep(0.001)


async def read(descriptor: int) -> bytes:
    """To its end, in a thread as a containerd would; closes it."""
    with os.fdopen(descriptor, "rb") as file:
        return await asyncio.to_thread(file.read)


@pytest.mark.parametrize("copied", [False, True])
def test_what_was_written_while_nobody_read_is_there_after_the_end(play: Play, names: Names, copied: bool) -> None:
    async def story(reaper: Reaper) -> None:
        streams = await opened(names, reaper, copied=copied)
        os.write(streams.given[1], b"last words")
        streams.handed_over()
        streams.end()
        await asyncio.sleep(0.05)
        told = asyncio.ensure_future(streams.read())
        await asyncio.sleep(0.01)
        assert not told.done()
        reader = os.open(names.stdout, os.O_RDONLY)
        assert await read(reader) == b"last words"
        await told
        streams.release()

    play(story)


@pytest.mark.parametrize("copied", [False, True])
def test_a_reader_sees_the_end_at_once_when_nothing_is_left(play: Play, names: Names, copied: bool) -> None:
    async def story(reaper: Reaper) -> None:
        ends = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in (names.stdout, names.stderr)]
        streams = await opened(names, reaper, copied=copied)
        streams.handed_over()
        streams.end()
        for end in ends:
            os.set_blocking(end, True)
            assert await read(end) == b""
        streams.release()

    play(story)


def test_release_ends_it_although_nobody_ever_read(play: Play, names: Names) -> None:
    async def story(reaper: Reaper) -> None:
        streams = await opened(names, reaper)
        os.write(streams.given[1], b"for nobody")
        streams.end()
        streams.release()
        streams.release()
        assert not is_open(names.stdout)

    play(story)


def test_a_writer_waits_when_the_pipe_is_full_and_nothing_is_lost(play: Play, names: Names) -> None:
    async def story(reaper: Reaper) -> None:
        streams = await opened(names, reaper, copied=True)
        given = os.dup(streams.given[1])
        streams.handed_over()
        size = fcntl.fcntl(given, F_GETPIPE_SZ)
        data = os.urandom(16 * size)
        writing = asyncio.ensure_future(asyncio.to_thread(_write_all, given, data))
        await asyncio.sleep(0.05)
        assert not writing.done()
        assert await read(os.open(names.stdout, os.O_RDONLY)) == data
        await writing
        streams.release()

    play(story)


def _write_all(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def test_stdin_ends_when_both_sides_have_closed_it(play: Play, names: Names) -> None:
    async def story(reaper: Reaper) -> None:
        streams = await opened(names, reaper)
        stdin = os.dup(streams.given[0])
        streams.handed_over()
        writer = os.open(names.stdin, os.O_WRONLY)
        os.write(writer, b"typed")
        assert os.read(stdin, 100) == b"typed"
        os.close(writer)
        os.set_blocking(stdin, False)
        with pytest.raises(BlockingIOError):
            os.read(stdin, 100)
        streams.end_input()
        assert os.read(stdin, 100) == b""
        os.close(stdin)
        streams.release()

    play(story)


def test_a_grandchild_that_keeps_its_stdout_does_not_keep_the_fifo(play: Play, names: Names) -> None:
    async def story(reaper: Reaper) -> None:
        streams = await opened(names, reaper, copied=True)
        kept = os.dup(streams.given[1])
        streams.handed_over()
        reader = os.open(names.stdout, os.O_RDONLY)
        streams.end()
        streams.release()
        assert await read(reader) == b""
        os.close(kept)

    play(story)


def test_no_name_is_nowhere(play: Play) -> None:
    async def story(reaper: Reaper) -> None:
        streams = await opened(Names(), reaper)
        assert os.read(streams.given[0], 1) == b""
        assert os.write(streams.given[1], b"x") == os.write(streams.given[2], b"x")
        streams.release()

    play(story)


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize("copied", [False, True])
def test_a_fifo_that_vanished_is_one_typed_error(play: Play, names: Names, stream: str, copied: bool) -> None:
    async def story(reaper: Reaper) -> None:
        os.unlink(getattr(names, stream))
        with pytest.raises(StartError, match=f"{stream}: No such file or directory"):
            await opened(names, reaper, copied=copied)

    play(story)


@pytest.mark.parametrize("name", ["ttrpc+unix:///run/x.sock?streaming_id=1", "gopher://x"])
def test_another_scheme_is_refused_by_name(play: Play, name: str) -> None:
    async def story(reaper: Reaper) -> None:
        with pytest.raises(StartError, match=f"got {name.partition(':')[0]}".replace("+", r"\+")):
            await opened(Names(stdout=name), reaper)

    play(story)


def test_both_streams_of_a_container_are_appended_to_its_file(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.log"

    async def story(reaper: Reaper) -> None:
        for text in (b"first\n", b"second\n"):
            streams = await opened(Names(stdout=f"file://{path}"), reaper)
            os.write(streams.given[1], text)
            os.write(streams.given[2], b"err\n")
            streams.release()

    play(story)
    assert path.read_text() == "first\nerr\nsecond\nerr\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


# Loggers


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "logger"
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\ncd {tmp_path}\n{text}\n")
    path.chmod(0o755)
    return path


KEEP = 'echo "$CONTAINER_NAMESPACE $CONTAINER_ID $*" >told\nexec 5>&-\ncat <&3 >out 3<&- & cat <&4 >err; wait\n'


@pytest.mark.parametrize("copied", [False, True])
def test_a_logger_gets_both_streams_and_whose_they_are(play: Play, tmp_path: Path, copied: bool) -> None:
    program = script(tmp_path, KEEP)

    async def story(reaper: Reaper) -> None:
        uri = f"binary://{program}?to=a%20b&flag=&to=c"
        streams = await opened(Names(stdout=uri, stderr=uri), reaper, copied=copied)
        running = streams._logger
        assert running is not None
        os.write(streams.given[1], b"out")
        os.write(streams.given[2], b"err")
        streams.handed_over()
        streams.end()
        assert await running.ended == 0
        streams.release()

    play(story)
    assert (tmp_path / "told").read_text() == "k8s.io c1 to a b flag \n"
    assert ((tmp_path / "out").read_bytes(), (tmp_path / "err").read_bytes()) == (b"out", b"err")


def test_a_logger_that_does_not_end_by_itself_is_ended(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "GRACE", 0.01)
    program = script(tmp_path, "trap '' TERM\nexec 5>&-\nwhile :; do sleep 0.05; done")

    async def story(reaper: Reaper) -> None:
        streams = await opened(Names(stdout=f"binary://{program}"), reaper)
        running = streams._logger
        assert running is not None
        streams.release()
        assert await running.ended == 128 + signal.SIGKILL

    play(story)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("binary://relative/path", "expected binary:// and an absolute path"),
        ("binary:///no/such/program", "No such file or directory"),
        ("binary-v2:///bin/true", "ended before it was ready"),
    ],
)
def test_a_logger_that_cannot_start_is_one_sentence(play: Play, uri: str, said: str) -> None:
    async def story(reaper: Reaper) -> None:
        with pytest.raises(StartError, match=said):
            await opened(Names(stdout=uri), reaper)
        await until(lambda: not logger._ENDING)

    play(story)


def test_a_logger_that_never_gets_ready_is_given_up(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "READY_WITHIN", 0.05)
    monkeypatch.setattr(logger, "GRACE", 0.01)
    program = script(tmp_path, "exec sleep 600")

    async def story(reaper: Reaper) -> None:
        with pytest.raises(StartError, match="not ready within"):
            await opened(Names(stdout=f"binary://{program}"), reaper)
        await until(lambda: not logger._ENDING)

    play(story)


def test_a_logger_that_died_does_not_stop_what_is_copied(play: Play, tmp_path: Path) -> None:
    """The process is told by SIGPIPE or EPIPE, as any process is whose reader went."""
    program = script(tmp_path, "exec 5>&-\nexec 3<&- 4<&-\nexit 0")

    async def story(reaper: Reaper) -> None:
        streams = await opened(Names(stdout=f"binary://{program}"), reaper)
        assert streams._logger is not None
        assert await streams._logger.ended == 0
        with pytest.raises(BrokenPipeError):
            os.write(streams.given[1], b"x")
        streams.release()

    play(story)
