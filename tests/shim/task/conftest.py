"""A Task service of this process: with processes of this machine, and with the real runc, by the same words."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from tests.support import programs, task_workloads
from tests.support.node_leftovers import CGROUPS
from wherry_shim.linux.process import become_subreaper, prctl
from wherry_shim.proto import task_pb2 as pb
from wherry_shim.proto.services import TASK_SERVICES
from wherry_shim.proto.topics import topic_of
from wherry_shim.reaper import Reaper
from wherry_shim.task.service import TaskService
from wherry_shim.task.streams import Names
from wherry_shim.task.workload import Workload

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 40.0


Make = Callable[[pb.CreateTaskRequest, str, Reaper, Path], Workload]
"""A workload that runs a shell command."""


@dataclass
class Desk:
    """The service, what it published and which tasks it said are gone. commands: what each task is to run."""

    folder: Path
    make: Make
    commands: dict[str, str] = field(default_factory=dict)
    published: list[Message] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    workloads: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reaper = Reaper(asyncio.get_running_loop())
        self.service = TaskService(self._made, self.published.append, self.gone.append)

    async def _made(self, request: pb.CreateTaskRequest, names: Names) -> Workload:
        await asyncio.sleep(0)
        made = self.make(request, self.commands[request.id], self.reaper, self.folder)
        self.workloads[request.id] = made
        return made

    async def create(self, command: str, task: str = "a") -> pb.CreateTaskResponse:
        self.commands[task] = command
        return await self.service.create(pb.CreateTaskRequest(id=task))

    async def run(self, command: str, task: str = "a") -> None:
        await self.create(command, task)
        await self.service.start(pb.StartRequest(id=task))

    async def execute(self, command: str, exec_id: str = "e", task: str = "a") -> None:
        """Start it."""
        await self.add(command, exec_id, task)
        await self.service.start(pb.StartRequest(id=task, exec_id=exec_id))

    async def add(self, command: str, exec_id: str = "e", task: str = "a") -> None:
        request = pb.ExecProcessRequest(id=task, exec_id=exec_id)
        request.spec.value = task_workloads.process(command)
        self.service.execute(request)

    async def ended(self, exec_id: str = "", task: str = "a") -> int:
        """Its exit status."""
        return (await self.service.wait(pb.WaitRequest(id=task, exec_id=exec_id))).exit_status

    async def kill(self, number: int, exec_id: str = "", task: str = "a", everyone: bool = False) -> None:
        await self.service.kill(pb.KillRequest(id=task, exec_id=exec_id, signal=number, all=everyone))

    async def delete(self, exec_id: str = "", task: str = "a") -> pb.DeleteResponse:
        return await self.service.delete(pb.DeleteRequest(id=task, exec_id=exec_id))

    async def state(self, exec_id: str = "", task: str = "a") -> pb.StateResponse:
        return self.service.state(pb.StateRequest(id=task, exec_id=exec_id))

    async def call(self, name: str, **fields: str) -> Message:
        """Any method, as by ttrpc."""
        method = self.service.methods()[TASK_SERVICES[0], name]
        response = method.call(method.request(**fields))
        return response if isinstance(response, Message) else await response

    @property
    def topics(self) -> list[str]:
        """Of what was published, in its order; an exec's end has its id."""
        return [_topic(event) for event in self.published]


def _topic(event: Any) -> str:
    topic = topic_of(event).removeprefix("/tasks/")
    return f"{topic} {event.id}" if topic == "exit" and event.id != event.container_id else topic


def _process(_request: pb.CreateTaskRequest, command: str, reaper: Reaper, _folder: Path) -> Workload:
    return task_workloads.ProcessWorkload(command, reaper)


def _runc(request: pb.CreateTaskRequest, command: str, reaper: Reaper, folder: Path) -> Workload:
    request.MergeFrom(task_workloads.bundle(folder, command, request.id))
    return task_workloads.sidecar(request, reaper, folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short path: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="wherry-task-") as path:
        yield Path(path)


@pytest.fixture(params=["process", pytest.param("runc", marks=[pytest.mark.peer, pytest.mark.slow])])
def make(request: pytest.FixtureRequest) -> Make:
    """Each kind of workload."""
    if request.param == "process":
        return _process
    programs.root()
    programs.installed("runc")
    programs.installed("busybox")
    return _runc


Play = Callable[[Callable[[Desk], Coroutine[Any, Any, None]]], Desk]


@pytest.fixture
def play(folder: Path, make: Make) -> Iterator[Play]:
    """Runs a story with a desk, and removes what it leaves."""

    async def played(story: Callable[[Desk], Coroutine[Any, Any, None]]) -> Desk:
        desk = Desk(folder, make)
        try:
            async with asyncio.timeout(PATIENCE):
                await story(desk)
        finally:
            async with asyncio.timeout(PATIENCE):
                await _removed(desk)
        return desk

    with subreaper():
        yield lambda story: asyncio.run(played(story))
    for hierarchy in (CGROUPS, *CGROUPS.iterdir()):
        made = hierarchy / f"wherry-task-{os.getpid()}"
        if made.is_dir():
            made.rmdir()


@contextmanager
def subreaper() -> Iterator[None]:
    """A container's first process is orphaned by runc, and is to be ours, as it is a host's."""
    become_subreaper()
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)


async def _removed(desk: Desk) -> None:
    for task in [*desk.service.tasks.values()]:
        task.workload.cgroup.kill()
        await task.over()
        await task.delete()
