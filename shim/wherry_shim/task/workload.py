"""What a task does, whichever kind it is: the pod's sandbox, a guest of ours, or an ordinary container."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from wherry_shim.linux.cgroup import Cgroup
from wherry_shim.task.streams import Names


async def _written_nowhere() -> None:
    """There is nothing to read."""


@dataclass(frozen=True, slots=True)
class Born:
    """A process of a task. ended: its exit status as a shell tells it. release: what is kept for it is not needed.

    read: until what it has written, and it has ended, is read.
    """

    pid: int
    ended: asyncio.Future[int]
    release: Callable[[], None] = lambda: None
    read: Callable[[], Awaitable[object]] = _written_nowhere


class Executor(Protocol):
    """Where more than one process can run."""

    async def execute(self, exec_id: str, process: bytes, names: Names) -> Born:
        """Start another process. process: JSON of the runtime specification. Raises WherryError or OSError."""
        ...


class Workload(Protocol):
    """One container's processes and what they hold on the node. Methods raise WherryError or OSError."""

    cgroup: Cgroup

    @property
    def executor(self) -> Executor | str:
        """Who starts other processes in it, or why nobody can."""
        ...

    async def create(self) -> Born:
        """Make it, up to where it waits. Leaves nothing behind when it raises."""
        ...

    async def start(self) -> None:
        """Let it go."""
        ...

    def end_input(self, exec_id: str) -> None:
        """Nothing more will come on a process's stdin."""
        ...

    def resize(self, exec_id: str, width: int, height: int) -> None:
        """Of a process's terminal, in characters."""
        ...

    async def destroy(self) -> None:
        """Remove all that `create` made; its processes have ended. May be repeated."""
        ...
