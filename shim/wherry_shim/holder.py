"""A pod's namespaces, made by the host in passing: it enters them, starts a program that holds them, and comes back.

A child that did this, and then became the program, would be a copy of Python first: 3 ms of computing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.errors import StartError
from wherry_shim.linux.namespaces import CLONE_NEWNET, CLONE_NEWUTS, Home, sethostname, setns, unshare


@dataclass(frozen=True, slots=True)
class Namespaces:
    """netns: a file, "" for the node's own. new: CLONE_NEW* flags. sysctls: names with dots."""

    netns: str
    new: int
    hostname: str
    sysctls: Mapping[str, str]


class Holders:
    """Starts the holders of one host, which end with it. For its main thread alone, and quick."""

    def __init__(self, program: Path) -> None:
        """program: see `linux.holder`, bound."""
        self._program = str(program)
        self._home = Home()
        self._alive, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def start(self, pod: Namespaces) -> int:
        """The pid of one that runs. Raises StartError."""
        try:
            with self._home.left():
                _enter(pod)
                return self._spawned()
        except OSError as fault:
            raise StartError("instantiate", f"the pod's namespaces: {fault}") from None

    def _spawned(self) -> int:
        files = [(os.POSIX_SPAWN_DUP2, self._alive, 0), (os.POSIX_SPAWN_CLOSE, 1), (os.POSIX_SPAWN_CLOSE, 2)]
        command = ["wherry-holder"]
        return os.posix_spawn(self._program, command, {}, file_actions=files, setsid=True, setsigdef=[signal.SIGPIPE])


def _enter(pod: Namespaces) -> None:
    if pod.netns:
        namespace = os.open(pod.netns, os.O_RDONLY | os.O_CLOEXEC)
        try:
            setns(namespace, CLONE_NEWNET)
        finally:
            os.close(namespace)
    unshare(pod.new)
    if pod.hostname and pod.new & CLONE_NEWUTS:
        sethostname(pod.hostname)
    for name, value in pod.sysctls.items():
        _write(f"/proc/sys/{name.replace('.', '/')}", value)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
