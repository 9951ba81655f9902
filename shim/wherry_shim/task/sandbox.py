"""A pod's sandbox: no pause process, but a holder of its namespaces, in the sandbox's own cgroup."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from wherry.errors import StartError
from wherry_shim import undo
from wherry_shim.holder import Holders, Namespaces
from wherry_shim.linux.cgroup import Cgroup, CgroupError, open_cgroup
from wherry_shim.linux.namespaces import CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWUTS
from wherry_shim.reaper import Reaper
from wherry_shim.task import cgroups
from wherry_shim.task.workload import Born

_MADE = {"ipc": CLONE_NEWIPC, "uts": CLONE_NEWUTS}


class Sandbox:
    """See Workload. spec: config.json, parsed."""

    executor = "a pod's sandbox runs no program"

    def __init__(self, spec: Mapping[str, Any], bundle: Path, holders: Holders, reaper: Reaper) -> None:
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
        self._holders = holders
        self._reaper = reaper
        self._settling: asyncio.Task[None] | None = None

    async def create(self) -> Born:
        undo.write(self._bundle, [f"cgroup {folder}" for folder in self.cgroup.directories])
        try:
            if not self.cgroup.slow:
                await self._make()
            return self._born()
        except BaseException:
            await self.destroy()
            raise

    def _born(self) -> Born:
        pid = self._holders.start(self._wanted())
        self._settling = asyncio.create_task(self._settle(pid))
        return Born(pid, self._reaper.watch(pid))

    async def _settle(self, pid: int) -> None:
        """Move the holder into its cgroup, which systemd may have to make first; without one the pod ends.

        Whoever waits for the pod's namespaces need not wait for this: systemd takes 25 ms, the move a grace period of
        the kernel, 10 ms.
        """
        try:
            if self.cgroup.slow:
                await self._make()
        except CgroupError as fault:
            print(f"wherry: the sandbox {self._bundle.name} ends: {fault}", file=sys.stderr, flush=True)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return
        await asyncio.to_thread(self.cgroup.join, pid)

    async def _make(self) -> None:
        await cgroups.make(self.cgroup, self._resources)

    def _wanted(self) -> Namespaces:
        new = sum(flag for kind, flag in _MADE.items() if kind in self._namespaces)
        if self._namespaces.get("pid") == "":
            new |= CLONE_NEWPID
        return Namespaces(self._namespaces.get("network", ""), new, self._hostname, self._sysctls)

    async def start(self) -> None:
        """It holds already."""

    def end_input(self, _exec_id: str) -> None:
        """It reads nothing."""

    def resize(self, _exec_id: str, _width: int, _height: int) -> None:
        """It has no terminal."""

    async def destroy(self) -> None:
        if self._settling:
            await cgroups.settled(self._settling)
            self._settling = None
        await cgroups.remove(self.cgroup)
        undo.forget(self._bundle)
