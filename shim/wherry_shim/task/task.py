"""A task: a container's first process and those that were started in it later, with the events that tell of them."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from wherry.errors import WherryError
from wherry.plan.ending import EXIT_START
from wherry_shim.linux.cgroup import Resources
from wherry_shim.proto import events_pb2 as events
from wherry_shim.proto.task_pb2 import CreateTaskRequest
from wherry_shim.task import cgroups
from wherry_shim.task.events import Publish, created, deleted, exited
from wherry_shim.task.life import Life
from wherry_shim.task.state import State
from wherry_shim.task.streams import Names
from wherry_shim.task.workload import Born, Executor, Workload
from wherry_shim.ttrpc.codes import Code, RpcError


class Exec(Life):
    """A process that is started in a container. process: JSON of the runtime specification."""

    def __init__(self, task: str, exec_id: str, names: Names, process: bytes, executor: Executor) -> None:
        super().__init__(f"{task}/{exec_id}", names)
        self.id = exec_id
        self._process = process
        self._executor = executor

    async def execute(self) -> Born:
        """Raises what the executor raises."""
        return await self._executor.execute(self.id, self._process, self.names)


class Task(Life):
    """One container. Everything runs on the loop's thread, but for what waits for the kernel."""

    def __init__(self, request: CreateTaskRequest, names: Names, workload: Workload, publish: Publish) -> None:
        super().__init__(request.id, names)
        self.id = request.id
        self.bundle = request.bundle
        self.workload = workload
        self.execs: dict[str, Exec] = {}
        self._rootfs = list(request.rootfs)
        self._publish = publish
        self._following: set[asyncio.Task[None]] = set()
        self._removal = asyncio.Lock()

    async def create(self) -> None:
        """Raises what the workload raises; then there is no task."""
        born = await self.workload.create()
        self._publish(created(self.id, self.bundle, self._rootfs, self.names, born.pid))
        self._follow(self, self.id, born)

    async def start(self) -> None:
        async with self.lock:  # an end before the start was told waits for it
            self.check("start")
            await self.workload.start()
            self.move("start")
            self._publish(events.TaskStart(container_id=self.id, pid=self.pid))

    async def pause(self) -> None:
        async with self.lock:
            self.check("pause")
            await asyncio.to_thread(self.workload.cgroup.freeze)
            self.move("pause")
            self._publish(events.TaskPaused(container_id=self.id))

    async def resume(self) -> None:
        async with self.lock:
            self.check("resume")
            await asyncio.to_thread(self.workload.cgroup.thaw)
            self.move("resume")
            self._publish(events.TaskResumed(container_id=self.id))

    async def update(self, resources: Resources) -> None:
        async with self.lock:
            self.check("update")
            await cgroups.change(self.workload.cgroup, resources)

    def signal(self, number: int) -> None:
        super().signal(number)
        if number == signal.SIGKILL and self.state is State.PAUSED:
            self.workload.cgroup.thaw()  # in a freezer of version 1 nobody dies

    async def kill_all(self, number: int) -> None:
        """Signal all of its processes. Raises RpcError as `signal`."""
        self.signal(number)  # before all: it may be on its way into its cgroup
        if number == signal.SIGKILL:
            await cgroups.empty(self.workload.cgroup)
        else:
            self._signal_others(number)

    def _signal_others(self, number: int) -> None:
        for pid in set(self.workload.cgroup.pids()) - {self.pid}:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    async def delete(self) -> None:
        """Remove it, from the node as well. Raises RpcError FAILED_PRECONDITION while it runs."""
        async with self._removal:
            async with self.lock:
                self.check("delete")
                created_only = self.state is State.CREATED
            if created_only:
                with suppress(RpcError, ProcessLookupError):  # it has just ended by itself
                    self.signal(signal.SIGKILL)
                await self.over()
            await self.workload.destroy()
            self.move("delete")
            assert self.ended_at is not None  # noqa: S101 - it is stopped
            self._publish(deleted(self.id, "", self.pid, self.status, self.ended_at))

    # Processes that are started in it

    def add_exec(self, exec_id: str, names: Names, process: bytes) -> None:
        executor = self.workload.executor
        if isinstance(executor, str):
            raise RpcError(Code.UNIMPLEMENTED, executor)
        self.check("exec")
        if exec_id in self.execs:
            raise RpcError(Code.ALREADY_EXISTS, f"task {self.id} has an exec {exec_id} already")
        self.execs[exec_id] = Exec(self.id, exec_id, names, process, executor)
        self._publish(events.TaskExecAdded(container_id=self.id, exec_id=exec_id))

    async def start_exec(self, one: Exec) -> None:
        """One that fails has ended: whoever waits for it goes on."""
        async with one.lock:
            one.check("start")
            try:
                self.check("exec")
                born = await one.execute()
            except BaseException:
                one.end(EXIT_START)
                one.tell()
                raise
            self._follow(one, one.id, born)
            one.move("start")
            self._publish(events.TaskExecStarted(container_id=self.id, exec_id=one.id, pid=one.pid))

    async def delete_exec(self, one: Exec) -> None:
        async with one.lock:
            if one.state is State.CREATED:
                one.end(0)
                one.tell()
            one.move("delete")
        if one.born:
            one.born.release()
        del self.execs[one.id]

    # Ends

    def _follow(self, life: Life, process: str, born: Born) -> None:
        life.born = born
        following = asyncio.get_running_loop().create_task(self._ended(life, process, born))
        self._following.add(following)
        following.add_done_callback(self._following.discard)

    async def _ended(self, life: Life, process: str, born: Born) -> None:
        status = await born.ended
        async with life.lock:
            if life is self:
                # However the first process ended: the reason of a container's end is looked for in its whole cgroup.
                # Before the others are ended: with the last one systemd removes the cgroup.
                killed_for_memory = self.workload.cgroup.oom_kills()
                await self._end_others()
                if killed_for_memory:
                    self._publish(events.TaskOOM(container_id=self.id))
            at = life.end(status)
            self._publish(exited(self.id, process, born.pid, status, at))
        life.tell()

    async def _end_others(self) -> None:
        """Nothing of a container outlives its first process, and its end is told last.

        With a pid namespace of its own the kernel has ended them; in one that the pod shares they live on.
        """
        for one in [*self.execs.values()]:
            async with one.lock:
                pass  # it is being started
        with suppress(WherryError):  # what cannot be killed is told when it is to be removed
            await cgroups.empty(self.workload.cgroup)
        for one in [*self.execs.values()]:
            if one.state is State.RUNNING:
                await one.over()
