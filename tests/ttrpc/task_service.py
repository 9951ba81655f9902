"""A small Task service with calls that tests hold, fail or let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from wherry.errors import StartError
from wherry_shim.proto import task_pb2 as task
from wherry_shim.proto.services import TASK_SERVICES
from wherry_shim.ttrpc.client import Client
from wherry_shim.ttrpc.dispatch import Method, Methods, Query

SERVICE = TASK_SERVICES[0]
LONG = 64 << 10


@dataclass
class TaskService:
    """State answers at once; Wait and Delete until let go, Delete to its end; Create and Kill fail."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def methods(self) -> Methods:
        return {
            (SERVICE, "State"): Query(task.StateRequest, self.state),
            (SERVICE, "Wait"): Method(task.WaitRequest, self.wait),
            (SERVICE, "Delete"): Method(task.DeleteRequest, self.delete, to_its_end=True),
            (SERVICE, "Create"): Method(task.CreateTaskRequest, self.create),
            (SERVICE, "Kill"): Method(task.KillRequest, self.kill),
            (SERVICE, "Pause"): Method(task.PauseRequest, self.pause),
        }

    def state(self, request: task.StateRequest) -> task.StateResponse:
        self.begun.append(request.id)
        return task.StateResponse(id=request.id, bundle="x" * LONG if request.exec_id == "long" else "")

    async def wait(self, request: task.WaitRequest) -> task.WaitResponse:
        await self._held(request.id)
        return task.WaitResponse(exit_status=7)

    async def delete(self, request: task.DeleteRequest) -> task.DeleteResponse:
        await self._held(request.id)
        return task.DeleteResponse(pid=1)

    async def create(self, _: task.CreateTaskRequest) -> task.CreateTaskResponse:
        raise StartError("artifact", "no such blob")

    async def kill(self, _: task.KillRequest) -> Empty:
        raise ZeroDivisionError("a fault of ours")

    async def pause(self, _: task.PauseRequest) -> Empty:
        raise asyncio.CancelledError

    async def _held(self, name: str) -> None:
        self.begun.append(name)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        self.done.append(name)


def state(client: Client, name: str) -> Awaitable[task.StateResponse]:
    return client.call(SERVICE, "State", task.StateRequest(id=name), task.StateResponse)


def wait(client: Client, name: str, seconds: float | None = None) -> Awaitable[task.WaitResponse]:
    return client.call(SERVICE, "Wait", task.WaitRequest(id=name), task.WaitResponse, seconds)


def call(client: Client, method: str, request: Message, service: str = SERVICE) -> Awaitable[Empty]:
    return client.call(service, method, request, Empty)


async def until(holds: Callable[[], bool], within: float = 20) -> None:
    """Let the loop run until a condition holds."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - a condition may be of anything
            await asyncio.sleep(0.001)
