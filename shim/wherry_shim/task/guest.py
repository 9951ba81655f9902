"""A Wasm container: a worker process, made ready by `create` and let go by `start`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from wherry.errors import StartError
from wherry.plan.bundle import CONTAINER_NAME
from wherry_shim import undo
from wherry_shim.linux.cgroup import Cgroup, open_cgroup
from wherry_shim.linux.namespaces import CLONE_NEWPID
from wherry_shim.nursery import Nursery
from wherry_shim.order import PLANNER, WORKER, WorkerOrder, words
from wherry_shim.reaper import Reaper
from wherry_shim.task.limits import limit
from wherry_shim.task.logger import Owner
from wherry_shim.task.report import reported
from wherry_shim.task.streams import Names, Streams
from wherry_shim.task.workload import Born
from wherry_shim.worker.worker import GO, PLANNED

_POD = "io.kubernetes.cri.sandbox-uid"
_KEPT = ("metrics", "trap")


class Guest:
    """See Workload. state: the folder of the node's state, where its pod's counters and traps are kept."""

    executor = "exec is not supported in a Wasm container: it holds no program but its own"

    def __init__(  # noqa: PLR0913, PLR0917 - what it is, where it runs, who makes it
        self, spec: Mapping[str, Any], order: WorkerOrder, names: Names, state: Path, nursery: Nursery, reaper: Reaper
    ) -> None:
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
        self._nursery = nursery
        self._reaper = reaper
        self._streams: Streams | None = None
        self._go = -1

    async def create(self) -> Born:
        lines = [f"cgroup {folder}" for folder in self.cgroup.directories]
        kept = [f"file {path}" for path in self._kept] + [f"folder {path.parent}" for path in self._kept[:1]]
        undo.write(self._bundle, lines + kept)
        try:
            await asyncio.to_thread(self.cgroup.create, self._resources)  # systemd may take seconds
            self._streams = Streams()
            await self._streams.open(self._names, Owner(self._order.namespace, self._order.container), self._reaper)
            with ExitStack() as stack:
                return await self._born(self._streams, stack)
        except BaseException:
            await self.destroy()
            raise

    async def _born(self, streams: Streams, stack: ExitStack) -> Born:
        """The worker is born while the planner still plans: the kernel takes its time (10 ms) to move it."""
        planner = _Planner(self._nursery, self._reaper, self._order)
        stack.callback(planner.release)
        reader, writer = os.pipe2(os.O_CLOEXEC)
        waits, self._go = os.pipe2(os.O_CLOEXEC)
        kept = [_opened(path) for path in self._kept]
        home = self.cgroup.descriptor()
        try:
            files = [writer, waits, planner.memory, planner.process, *streams.given, *kept]
            pid = self._nursery.bear(WORKER, b"", files, CLONE_NEWPID, home)
        finally:
            for descriptor in (writer, waits, *kept, *([home] if home is not None else [])):
                os.close(descriptor)
            streams.handed_over()
        limit(pid, self._process)
        born = Born(pid, self._reaper.watch(pid))
        born.ended.add_done_callback(lambda _: streams.end())
        joined = asyncio.create_task(asyncio.to_thread(self.cgroup.join, pid)) if home is None else None
        try:
            await planner.ready()
            os.write(self._go, PLANNED)
            await reported(reader, "the worker")
        except BaseException:
            if joined:
                await asyncio.wait({joined})
                joined.exception()  # that it could not be moved any more is no news
            raise
        planner.release()
        await planner.ended
        if joined:
            await joined
        return born

    async def start(self) -> None:
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
        with suppress(FileNotFoundError):
            await asyncio.to_thread(self.cgroup.kill)
        await asyncio.to_thread(self.cgroup.remove)
        for path in self._kept:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # other containers of the pod have theirs there
                path.parent.rmdir()
        undo.forget(self._bundle)

    def _close_go(self) -> None:
        if self._go >= 0:
            os.close(self._go)
        self._go = -1


class _Planner:
    """The planner of one guest: it stays until `release`, because the worker enters its namespaces."""

    def __init__(self, nursery: Nursery, reaper: Reaper, order: WorkerOrder) -> None:
        """Raises OSError."""
        with ExitStack() as opened:
            self.memory = _kept_open(opened, os.memfd_create("start", os.MFD_CLOEXEC))
            self._report, writer = os.pipe2(os.O_CLOEXEC)
            entered, stays = os.pipe2(os.O_CLOEXEC)
            _kept_open(opened, stays)
            try:
                pid = nursery.bear(PLANNER, words(order), [writer, self.memory, entered])
            except OSError:
                os.close(self._report)
                raise
            finally:
                os.close(writer)
                os.close(entered)
            self.ended = reaper.watch(pid)
            self.process = _kept_open(opened, os.pidfd_open(pid))
            self._opened = opened.pop_all()

    async def ready(self) -> None:
        """The start is written. Once. Raises StartError: the guest cannot run."""
        await reported(self._report, "the planner")

    def release(self) -> None:
        """May be repeated."""
        self._opened.close()


def _kept_open(stack: ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


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
