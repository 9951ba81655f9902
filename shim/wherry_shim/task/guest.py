"""A Wasm container: a worker process, made ready by `create` and let go by `start`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wherry.errors import StartError
from wherry.plan.bundle import CONTAINER_NAME
from wherry_shim import undo
from wherry_shim.linux.cgroup import Cgroup, open_cgroup
from wherry_shim.linux.namespaces import CLONE_NEWPID
from wherry_shim.nursery import Nursery
from wherry_shim.order import WORKER, WorkerOrder
from wherry_shim.reaper import Reaper
from wherry_shim.task import cgroups
from wherry_shim.task.limits import limit
from wherry_shim.task.logger import Owner
from wherry_shim.task.planners import Planner, Planners
from wherry_shim.task.report import reported
from wherry_shim.task.streams import Names, Streams
from wherry_shim.task.workload import Born
from wherry_shim.worker.worker import GO, PLANNED

_POD = "io.kubernetes.cri.sandbox-uid"
_KEPT = ("metrics", "trap")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a guest's processes come from: who bears, who plans and who reaps them."""

    nursery: Nursery
    planners: Planners
    reaper: Reaper


class Guest:
    """See Workload. state: the folder of the node's state, where its pod's counters and traps are kept."""

    executor = "exec is not supported in a Wasm container: it holds no program but its own"

    def __init__(self, spec: Mapping[str, Any], order: WorkerOrder, names: Names, state: Path, origin: Origin) -> None:
        if names.terminal:
            raise StartError("unsupported", "a Wasm container has no terminal", cure="leave out tty: true")
        linux = spec.get("linux") or {}
        self.cgroup: Cgroup = open_cgroup(linux.get("cgroupsPath") or f"/wherry/{order.container}")
        self._resources = linux.get("resources") or {}
        self._process: Mapping[str, Any] = spec.get("process") or {}
        self._order = order
        self._bundle = Path(order.bundle)
        self._names = names
        self._kept = _kept(spec.get("annotations") or {}, state)
        self._origin = origin
        self._streams: Streams | None = None
        self._moving: asyncio.Task[None] | None = None
        self._go = -1

    async def create(self) -> Born:
        lines = [f"cgroup {folder}" for folder in self.cgroup.directories]
        kept = [f"file {path}" for path in self._kept] + [f"folder {path.parent}" for path in self._kept[:1]]
        undo.write(self._bundle, lines + kept)
        made = asyncio.create_task(cgroups.make(self.cgroup, self._resources))
        try:
            # It plans meanwhile: systemd takes its time (20 ms) to make a cgroup.
            async with self._origin.planners.one() as planner, planner.begun(self._order) as start:
                await made
                return await self._born(planner, start, await self._opened())
        except BaseException:
            await cgroups.settled(made)
            await self.destroy()
            raise

    async def _opened(self) -> Streams:
        self._streams = Streams()
        owner = Owner(self._order.namespace, self._order.container)
        await self._streams.open(self._names, owner, self._origin.reaper)
        return self._streams

    async def _born(self, planner: Planner, start: int, streams: Streams) -> Born:
        """The worker, which needs the planner no more; its move into its cgroup may take longer.

        It is born although the planner may still plan: the kernel takes its time (10 ms) to move it.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC)
        waits, self._go = os.pipe2(os.O_CLOEXEC)
        kept = [_opened(path) for path in self._kept]
        home = self.cgroup.descriptor()
        try:
            files = [writer, waits, start, planner.pidfd, *streams.given, *kept]
            pid = self._origin.nursery.bear(WORKER, b"", files, CLONE_NEWPID, home)
        finally:
            for descriptor in (writer, waits, *kept, *([home] if home is not None else [])):
                os.close(descriptor)
            streams.handed_over()
        limit(pid, self._process)
        born = Born(pid, self._origin.reaper.watch(pid), read=streams.read)
        born.ended.add_done_callback(lambda _: streams.end())
        if home is None:
            self._moving = asyncio.create_task(asyncio.to_thread(self.cgroup.join, pid))
        try:
            await planner.planned()
            os.write(self._go, PLANNED)
            await reported(reader, "the worker")
        finally:
            os.close(reader)
        return born

    async def start(self) -> None:
        """Its guest runs in its cgroup alone."""
        if self._moving:
            await self._moving
        os.write(self._go, GO)
        self._close_go()

    def end_input(self, _exec_id: str) -> None:
        if self._streams:
            self._streams.end_input()

    def resize(self, _exec_id: str, _width: int, _height: int) -> None:
        """It has no terminal."""

    async def destroy(self) -> None:
        self._close_go()
        if self._streams:
            self._streams.release()
        if self._moving:
            await cgroups.settled(self._moving)
        await cgroups.remove(self.cgroup)
        for path in self._kept:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # other containers of the pod have theirs there
                path.parent.rmdir()
        undo.forget(self._bundle)

    def _close_go(self) -> None:
        if self._go >= 0:
            os.close(self._go)
        self._go = -1


def _kept(annotations: Mapping[str, str], state: Path) -> list[Path]:
    """The files that tell of a guest while it runs; none outside of a pod."""
    pod, container = annotations.get(_POD), annotations.get(CONTAINER_NAME)
    if not pod or not container or "/" in pod + container:
        return []
    return [state / pod / f"{container}.{kind}" for kind in _KEPT]


def _opened(path: Path) -> int:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | (os.O_APPEND if path.suffix == ".trap" else 0)
    return os.open(path, flags, 0o644)
