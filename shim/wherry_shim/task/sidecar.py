"""An ordinary container, run by runc (or a program that takes its arguments) beside the guests of the pod.

runc is asked for what only it can do: create, start, exec, delete. What it would do by the cgroup's files or a signal
(kill, pause, resume, update, events) the task does itself: runc's own commands write the same, and cost 10 ms each.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from wherry_shim import undo
from wherry_shim.linux.cgroup import Cgroup, open_cgroup
from wherry_shim.linux.mounts import MNT_DETACH, umount
from wherry_shim.proto.task_pb2 import CreateTaskRequest
from wherry_shim.reaper import Reaper
from wherry_shim.settings import Settings
from wherry_shim.task.logger import Owner
from wherry_shim.task.runtime import Runtime, configured
from wherry_shim.task.streams import Names, Streams
from wherry_shim.task.terminal import Terminal
from wherry_shim.task.workload import Born, Executor
from wherry_shim.worker.root import mount_image


class Sidecar:
    """See Workload. spec: config.json, parsed."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is, whose, and what runs it
        self,
        spec: Mapping[str, Any],
        request: CreateTaskRequest,
        names: Names,
        namespace: str,
        settings: Settings,
        reaper: Reaper,
    ) -> None:
        """Raises StartError."""
        path = (spec.get("linux") or {}).get("cgroupsPath") or f"/wherry/{request.id}"
        self.cgroup: Cgroup = open_cgroup(path)
        default = Runtime(settings.runc, settings.state / "runc", systemd=path.count(":") == 2)
        self._runtime = configured(default, namespace, request.options)
        self._id = request.id
        self._namespace = namespace
        self._bundle = Path(request.bundle)
        self._rootfs = [(each.type, each.source, list(each.options)) for each in request.rootfs]
        self._names = names
        self._sockets = settings.state
        self._reaper = reaper
        self._streams: dict[str, Streams] = {}
        self._mounted = False
        self._asked = False

    @property
    def executor(self) -> Executor:
        return self

    async def create(self) -> Born:
        target = self._bundle / "rootfs"
        lines = [f"runc {self._runtime.root} {self._runtime.program}", f"mount {target}"]
        undo.write(self._bundle, lines + [f"cgroup {folder}" for folder in self.cgroup.directories])
        try:
            if self._rootfs:
                target.mkdir(exist_ok=True)
                self._mounted = True  # of several mounts the first may be there when the second fails
                mount_image(self._rootfs, target, readonly=False)
            return await self._born("", self._names, "create", "--bundle", str(self._bundle), *self._runtime.creating)
        except BaseException:
            await self.destroy()
            raise

    async def start(self) -> None:
        await self._run("start", self._id)

    async def execute(self, exec_id: str, process: bytes, names: Names) -> Born:
        description = self._bundle / f"exec-{exec_id}.json"
        description.write_text(json.dumps(json.loads(process) | {"terminal": names.terminal}))
        try:
            return await self._born(exec_id, names, "exec", "--detach", "--process", str(description))
        finally:
            description.unlink()

    def end_input(self, exec_id: str) -> None:
        if streams := self._streams.get(exec_id):
            streams.end_input()

    def resize(self, exec_id: str, width: int, height: int) -> None:
        if isinstance(streams := self._streams.get(exec_id), Terminal):
            streams.resize(width, height)

    async def destroy(self) -> None:
        try:
            if self._asked:
                await self._run("delete", "--force", self._id)
            self._asked = False
        finally:
            for exec_id in [*self._streams]:
                self._release(exec_id)
            await self._unmount()
        undo.forget(self._bundle)

    async def _unmount(self) -> None:
        """In a thread: what the container wrote may have to go to the disk first."""
        if self._mounted:
            await asyncio.to_thread(_unmount_all, str(self._bundle / "rootfs"))
        self._mounted = False

    async def _born(self, exec_id: str, names: Names, *command: str) -> Born:
        streams = self._streams[exec_id] = _streams(names, self._sockets, copied=bool(exec_id))
        pid_file = self._bundle / f"{exec_id or 'init'}.pid"
        try:
            await streams.open(names, Owner(self._namespace, exec_id or self._id), self._reaper)
            console = ["--console-socket", str(streams.socket)] if isinstance(streams, Terminal) else []
            call = self._run(*command, *console, "--pid-file", str(pid_file), self._id, streams=streams.given)
            self._asked = True
            await call
            streams.handed_over()
            pid = int(pid_file.read_text())
        except BaseException:
            self._release(exec_id)
            raise
        finally:
            pid_file.unlink(missing_ok=True)
        ended = self._reaper.watch(pid)
        ended.add_done_callback(lambda _: streams.end())
        return Born(pid, ended, lambda: self._release(exec_id), streams.read)

    def _release(self, exec_id: str) -> None:
        if streams := self._streams.pop(exec_id, None):
            streams.release()

    def _run(self, *words: str, streams: tuple[int, ...] = ()) -> Awaitable[None]:
        return self._runtime.run(*words, folder=self._bundle, reaper=self._reaper, streams=streams)


def _streams(names: Names, sockets: Path, *, copied: bool) -> Streams:
    return Terminal(sockets) if names.terminal else Streams(copied=copied)


def _unmount_all(target: str) -> None:
    """An image may be several mounts, one above the other."""
    with suppress(OSError):  # nothing is mounted there any more
        while True:
            umount(target, MNT_DETACH)
