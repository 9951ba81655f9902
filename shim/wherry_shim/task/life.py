"""One process as containerd follows it: its state, its end, and who waits for that."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from google.protobuf.timestamp_pb2 import Timestamp

from wherry_shim.task.events import timestamp
from wherry_shim.task.state import State, Verb, after
from wherry_shim.task.streams import Names
from wherry_shim.task.workload import Born
from wherry_shim.ttrpc.codes import Code, RpcError

_READING = 0.25
"""Seconds that a reader has who has just come."""


class Life:
    """name: for errors. lock: held by whoever changes the state over a wait, so that moves come one after the other."""

    def __init__(self, name: str, names: Names) -> None:
        self.name = name
        self.names = names
        self.state = State.CREATED
        self.born: Born | None = None
        self.status = 0
        self.ended_at: Timestamp | None = None
        self.lock = asyncio.Lock()
        self._over = asyncio.Event()

    @property
    def pid(self) -> int:
        """0 before there is a process."""
        return self.born.pid if self.born else 0

    def check(self, verb: Verb) -> None:
        """Raises RpcError when the move is none."""
        after(self.state, verb, self.name)

    def move(self, verb: Verb) -> None:
        """Raises RpcError when the move is none."""
        self.state = after(self.state, verb, self.name)

    def signal(self, number: int) -> None:
        """Raises RpcError: NOT_FOUND when it has ended, FAILED_PRECONDITION when it has not begun."""
        self.check("kill")
        if self.born is None:  # and 0 as a pid is everybody in this process's group
            raise RpcError(Code.FAILED_PRECONDITION, f"task {self.name}: process not created")
        if self.born.ended.done():  # its pid is another's, soon
            raise RpcError(Code.NOT_FOUND, f"task {self.name}: process already finished")
        os.kill(self.born.pid, number)

    async def read(self) -> None:
        """Until what it has written is read, when it has ended; but not for long.

        containerd that was restarted kills what has ended already, and with the answer it gives up a FIFO that it is
        just about to open.
        """
        if self.born and self.born.ended.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.born.read(), _READING)

    def end(self, status: int) -> Timestamp:
        """It ended now."""
        self.move("exit")
        self.status = status
        self.ended_at = timestamp()
        return self.ended_at

    def tell(self) -> None:
        """Whoever waits goes on: the end is published."""
        self._over.set()

    async def over(self) -> None:
        """Until the end is published."""
        await self._over.wait()
