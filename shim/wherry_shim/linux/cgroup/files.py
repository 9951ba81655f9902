"""The small files of cgroupfs: one value, or one `name value` a line."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from wherry_shim.linux.cgroup.interface import CgroupError

_BLOCK = 1 << 16


def read(path: str) -> str:
    """The file's text without the last line's end. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, _BLOCK):
            parts.append(part)
    finally:
        os.close(descriptor)
    return b"".join(parts).decode().rstrip("\n")


def write(path: str, value: str | int) -> None:
    """Write the value by one system call. Raises CgroupError that says what the kernel did not take."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, str(value).encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CgroupError(f"{path}: the kernel does not take {value}: {error.strerror}") from error


def read_int(path: str, default: int = 0) -> int:
    """The one number in the file; the default when there is no such file, and for `max`."""
    try:
        text = read(path)
    except FileNotFoundError:
        return default
    return int(text) if text != "max" else default


def read_limit(path: str, unlimited: int = 1 << 62) -> int | None:
    """A limit; None for `max`, for numbers of that size, which mean the same in version 1, and without a file."""
    value = read_int(path, unlimited)
    return None if value >= unlimited else value


def read_table(path: str) -> dict[str, int]:
    """`name value` a line; empty when there is no such file."""
    try:
        pairs = (line.split() for line in read(path).splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    except FileNotFoundError:
        return {}


def make_directory(path: str) -> None:
    """Make it and what is above it. Raises CgroupError."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise CgroupError(f"{path}: cannot be made: {error.strerror}") from error


def below(directory: str) -> Iterator[str]:
    """The cgroup and those below it, deepest first; nothing when it is gone."""
    for path, _, _ in os.walk(directory, topdown=False):
        yield path


def processes(directory: str) -> list[int]:
    """Processes in the cgroup and below it."""
    found: list[int] = []
    for path in below(directory):
        try:
            found += map(int, read(f"{path}/cgroup.procs").split())
        except OSError:  # removed meanwhile, or of threads (EOPNOTSUPP)
            continue
    return found


def kill_processes(directory: str) -> None:
    """SIGKILL to all in the cgroup and below it, until it is empty. Raises CgroupError when some outlive it."""

    def empty() -> bool:
        pids = processes(directory)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    wait(empty, f"{directory}: processes outlive SIGKILL")


def remove_directory(directory: str) -> None:
    """Remove the cgroup and those below it. Raises CgroupError when processes stay in it."""

    def gone() -> bool:
        return is_removed(directory) or all(map(is_removed, below(directory)))

    try:
        wait(gone, f"{directory}: is still in use")
    except CgroupError as error:
        raise CgroupError(f"{error.message} by processes {processes(directory)}") from None


def is_removed(directory: str) -> bool:
    """Remove the cgroup, if there is nothing in it and below it."""
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def wait(ready: Callable[[], bool], otherwise: str, seconds: float = 2.0) -> None:
    """Until it is so; the kernel ends processes and frees cgroups in its own time. Raises CgroupError."""
    end = time.monotonic() + seconds
    pause = 0.0005
    while not ready():
        if time.monotonic() > end:
            raise CgroupError(otherwise)
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
