"""A pod's sandbox: no pause process, but a holder of its namespaces, in the sandbox's own cgroup."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wherry.errors import StartError
from wherry_shim import undo
from wherry_shim.linux.cgroup import Cgroup, open_cgroup
from wherry_shim.linux.namespaces import CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWUTS
from wherry_shim.nursery import Nursery
from wherry_shim.order import HOLDER, HolderOrder, words
from wherry_shim.reaper import Reaper
from wherry_shim.task.report import reported
from wherry_shim.task.workload import Born

_MADE = {"ipc": CLONE_NEWIPC, "uts": CLONE_NEWUTS}


class Sandbox:
    """See Workload. spec: config.json, parsed. program: the holder's executable."""

    executor = "a pod's sandbox runs no program"

    def __init__(self, spec: Mapping[str, Any], bundle: Path, program: Path, nursery: Nursery, reaper: Reaper) -> None:
        """Raises StartError for a pod that this runtime cannot hold."""
        linux = spec.get("linux") or {}
        self._namespaces = {each["type"]: each.get("path", "") for each in linux.get("namespaces") or ()}
        if "user" in self._namespaces:
            raise StartError("unsupported", "the pod has a user namespace", cure="set hostUsers: true")
        self.cgroup: Cgroup = open_cgroup(linux.get("cgroupsPath") or f"/wherry/{bundle.name}")
        self._resources = linux.get("resources") or {}
        self._sysctls: Mapping[str, str] = linux.get("sysctl") or {}
        self._hostname: str = spec.get("hostname") or ""
        self._bundle = bundle
        self._program = program
        self._nursery = nursery
        self._reaper = reaper
        self._joining: asyncio.Task[None] | None = None

    async def create(self) -> Born:
        undo.write(self._bundle, [f"cgroup {folder}" for folder in self.cgroup.directories])
        try:
            await asyncio.to_thread(self.cgroup.create, self._resources)  # systemd may take seconds
            return await self._born()
        except BaseException:
            await self.destroy()
            raise

    async def _born(self) -> Born:
        made = "pid" in self._namespaces and not self._namespaces["pid"]
        reader, writer = os.pipe2(os.O_CLOEXEC)
        home = self.cgroup.descriptor()
        try:
            pid = self._nursery.bear(HOLDER, words(self._order()), [writer], CLONE_NEWPID if made else 0, home)
        finally:
            for descriptor in (writer, *([home] if home is not None else [])):
                os.close(descriptor)
        born = Born(pid, self._reaper.watch(pid))
        if home is None:
            # A grace period of the kernel, 10 ms: whoever waits for the pod's namespaces need not wait for this.
            self._joining = asyncio.create_task(asyncio.to_thread(self.cgroup.join, pid))
        await reported(reader, "the pod's holder")
        return born

    def _order(self) -> HolderOrder:
        new = sum(flag for kind, flag in _MADE.items() if kind in self._namespaces)
        netns = self._namespaces.get("network", "")
        return HolderOrder(str(self._program), netns, new, self._hostname, self._sysctls)

    async def start(self) -> None:
        """It holds already."""

    def end_input(self, _exec_id: str) -> None:
        """It reads nothing."""

    def resize(self, _exec_id: str, _width: int, _height: int) -> None:
        """It has no terminal."""

    async def destroy(self) -> None:
        if self._joining:
            await asyncio.wait({self._joining})
            self._joining.exception()  # the holder had ended
            self._joining = None
        await asyncio.to_thread(self.cgroup.kill)
        await asyncio.to_thread(self.cgroup.remove)
        undo.forget(self._bundle)
