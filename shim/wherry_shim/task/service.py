"""containerd's Task service (api/runtime/task): decode, act, encode. What a task does is its workload's business."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from google.protobuf.empty_pb2 import Empty

from wherry_shim.proto import task_pb2 as pb
from wherry_shim.proto.process_pb2 import ProcessInfo, Status
from wherry_shim.proto.runc_options_pb2 import ProcessDetails
from wherry_shim.proto.services import TASK_SERVICES
from wherry_shim.proto.typeurl import LINUX_RESOURCES, packed
from wherry_shim.task.events import Publish
from wherry_shim.task.life import Life
from wherry_shim.task.statistics import metrics
from wherry_shim.task.streams import Names
from wherry_shim.task.task import Exec, Task
from wherry_shim.task.workload import Workload
from wherry_shim.ttrpc.codes import Code, RpcError
from wherry_shim.ttrpc.dispatch import Method, Methods, Query

VERSION = "wherry"

_OfAProcess = pb.StateRequest | pb.WaitRequest | pb.KillRequest | pb.CloseIORequest | pb.ResizePtyRequest

Maker = Callable[[pb.CreateTaskRequest, Names], Awaitable[Workload]]
"""What a task shall be. Raises WherryError or OSError."""


class TaskService:
    """The tasks of one host. empty: called when the last one is gone, with its id for each that goes."""

    def __init__(self, make: Maker, publish: Publish, gone: Callable[[str], None]) -> None:
        self.tasks: dict[str, Task] = {}
        self._coming: set[str] = set()
        self._make = make
        self._publish = publish
        self._gone = gone

    def methods(self) -> Methods:
        """For a ttrpc server. What changes a task comes to its end although its client has gone."""
        calls: Mapping[str, Method | Query] = {
            "Create": Method(pb.CreateTaskRequest, self.create, to_its_end=True),
            "Start": Method(pb.StartRequest, self.start, to_its_end=True),
            "Delete": Method(pb.DeleteRequest, self.delete, to_its_end=True),
            "Pause": Method(pb.PauseRequest, self.pause, to_its_end=True),
            "Resume": Method(pb.ResumeRequest, self.resume, to_its_end=True),
            "Update": Method(pb.UpdateTaskRequest, self.update, to_its_end=True),
            "Wait": Method(pb.WaitRequest, self.wait),
            "Kill": Method(pb.KillRequest, self.kill),
            "State": Query(pb.StateRequest, self.state),
            "Pids": Query(pb.PidsRequest, self.pids),
            "Stats": Query(pb.StatsRequest, self.stats),
            "Connect": Query(pb.ConnectRequest, self.connect),
            "Shutdown": Query(pb.ShutdownRequest, self.shutdown),
            "Exec": Query(pb.ExecProcessRequest, self.execute),
            "CloseIO": Query(pb.CloseIORequest, self.close_io),
            "ResizePty": Query(pb.ResizePtyRequest, self.resize_pty),
            "Checkpoint": Query(pb.CheckpointTaskRequest, self.checkpoint),
        }
        return {(service, name): call for service in TASK_SERVICES for name, call in calls.items()}

    async def create(self, request: pb.CreateTaskRequest) -> pb.CreateTaskResponse:
        if request.id in self.tasks or request.id in self._coming:
            raise RpcError(Code.ALREADY_EXISTS, f"task {request.id} exists already")
        if request.checkpoint:
            raise RpcError(Code.UNIMPLEMENTED, "a task cannot be restored from a checkpoint")
        self._coming.add(request.id)
        try:
            task = await self._created(request)
        finally:
            self._coming.discard(request.id)
        return pb.CreateTaskResponse(pid=task.pid)

    async def _created(self, request: pb.CreateTaskRequest) -> Task:
        names = Names(request.stdin, request.stdout, request.stderr, request.terminal)
        task = Task(request, names, await self._make(request, names), self._publish)
        await task.create()
        self.tasks[request.id] = task
        return task

    async def start(self, request: pb.StartRequest) -> pb.StartResponse:
        task = self._task(request.id)
        if not request.exec_id:
            await task.start()
            return pb.StartResponse(pid=task.pid)
        one = self._exec(task, request.exec_id)
        await task.start_exec(one)
        return pb.StartResponse(pid=one.pid)

    async def delete(self, request: pb.DeleteRequest) -> pb.DeleteResponse:
        task = self._task(request.id)
        if request.exec_id:
            one = self._exec(task, request.exec_id)
            await task.delete_exec(one)
            return pb.DeleteResponse(pid=one.pid, exit_status=one.status, exited_at=one.ended_at)
        await task.delete()
        self.tasks.pop(request.id, None)
        self._gone(request.id)
        return pb.DeleteResponse(pid=task.pid, exit_status=task.status, exited_at=task.ended_at)

    def state(self, request: pb.StateRequest) -> pb.StateResponse:
        task = self._task(request.id)
        life = self._life(request)
        return pb.StateResponse(
            id=request.id,
            exec_id=request.exec_id,
            bundle=task.bundle,
            pid=life.pid,
            status=Status.Name(life.state.value),
            stdin=life.names.stdin,
            stdout=life.names.stdout,
            stderr=life.names.stderr,
            terminal=life.names.terminal,
            exit_status=life.status,
            exited_at=life.ended_at,
        )

    async def wait(self, request: pb.WaitRequest) -> pb.WaitResponse:
        life = self._life(request)
        await life.over()
        return pb.WaitResponse(exit_status=life.status, exited_at=life.ended_at)

    async def kill(self, request: pb.KillRequest) -> Empty:
        life = self._life(request)
        await life.read()
        if request.all and not request.exec_id:
            await self._task(request.id).kill_all(request.signal)
        else:
            life.signal(request.signal)
        return Empty()

    def pids(self, request: pb.PidsRequest) -> pb.PidsResponse:
        """Never empty for a task that is there: containerd removes one that has none when it starts again."""
        task = self._task(request.id)
        found = task.workload.cgroup.pids() or [task.pid]
        execs = {one.pid: packed(ProcessDetails(exec_id=one.id)) for one in task.execs.values() if one.pid}
        return pb.PidsResponse(processes=[ProcessInfo(pid=pid, info=execs.get(pid)) for pid in found])

    def stats(self, request: pb.StatsRequest) -> pb.StatsResponse:
        return pb.StatsResponse(stats=metrics(self._task(request.id).workload.cgroup.statistics()))

    async def update(self, request: pb.UpdateTaskRequest) -> Empty:
        task = self._task(request.id)
        if request.resources.type_url != LINUX_RESOURCES:
            found = request.resources.type_url
            raise RpcError(Code.INVALID_ARGUMENT, f"resources: got {found!r}, expected {LINUX_RESOURCES!r}")
        await task.update(_json(request.resources.value, "resources"))
        return Empty()

    async def pause(self, request: pb.PauseRequest) -> Empty:
        await self._task(request.id).pause()
        return Empty()

    async def resume(self, request: pb.ResumeRequest) -> Empty:
        await self._task(request.id).resume()
        return Empty()

    def execute(self, request: pb.ExecProcessRequest) -> Empty:
        names = Names(request.stdin, request.stdout, request.stderr, request.terminal)
        _json(request.spec.value, "spec")
        self._task(request.id).add_exec(request.exec_id, names, request.spec.value)
        return Empty()

    def close_io(self, request: pb.CloseIORequest) -> Empty:
        self._life(request)
        self._task(request.id).workload.end_input(request.exec_id)
        return Empty()

    def resize_pty(self, request: pb.ResizePtyRequest) -> Empty:
        self._life(request)
        self._task(request.id).workload.resize(request.exec_id, request.width, request.height)
        return Empty()

    def checkpoint(self, _request: pb.CheckpointTaskRequest) -> Empty:
        raise RpcError(Code.UNIMPLEMENTED, "a task cannot be checkpointed")

    def connect(self, request: pb.ConnectRequest) -> pb.ConnectResponse:
        task = self.tasks.get(request.id)
        return pb.ConnectResponse(shim_pid=os.getpid(), task_pid=task.pid if task else 0, version=VERSION)

    def shutdown(self, _request: pb.ShutdownRequest) -> Empty:
        """Meant for one container's shim; this host ends by itself when it has no pod."""
        return Empty()

    def _task(self, task: str) -> Task:
        if found := self.tasks.get(task):
            return found
        raise RpcError(Code.NOT_FOUND, f"task {task} is not here")

    def _exec(self, task: Task, exec_id: str) -> Exec:
        if found := task.execs.get(exec_id):
            return found
        raise RpcError(Code.NOT_FOUND, f"task {task.id} has no exec {exec_id}")

    def _life(self, request: _OfAProcess) -> Life:
        task = self._task(request.id)
        return self._exec(task, request.exec_id) if request.exec_id else task


def _json(value: bytes, what: str) -> Mapping[str, Any]:
    """Raises RpcError INVALID_ARGUMENT for what is no object of JSON."""
    with suppress(ValueError):
        if isinstance(found := json.loads(value), dict):
            return found
    raise RpcError(Code.INVALID_ARGUMENT, f"{what}: got {value[:40]!r}, expected an object of JSON")
