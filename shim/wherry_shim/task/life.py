"""One process as containerd follows it: its state, its end, and who waits for that."""

from __future__ import annotations

import asyncio

from google.protobuf.timestamp_pb2 import Timestamp

from wherry_shim.task.events import timestamp
from wherry_shim.task.state import State, Verb, after
from wherry_shim.task.streams import Names


class Life:
    """name: for errors. lock: held by whoever changes the state over a wait, so that moves come one after the other."""

    def __init__(self, name: str, names: Names) -> None:
        self.name = name
        self.names = names
        self.state = State.CREATED
        self.pid = 0
        self.status = 0
        self.ended_at: Timestamp | None = None
        self.lock = asyncio.Lock()
        self._over = asyncio.Event()

    def check(self, verb: Verb) -> None:
        """Raises RpcError when the move is none."""
        after(self.state, verb, self.name)

    def move(self, verb: Verb) -> None:
        """Raises RpcError when the move is none."""
        self.state = after(self.state, verb, self.name)

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
