"""An ordinary container, run by runc (or a program that takes its arguments) beside the guests of the pod."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from wherry.errors import StartError
from wherry_shim import undo
from wherry_shim.linux.cgroup import Cgroup, open_cgroup
from wherry_shim.linux.mounts import MNT_DETACH, umount
from wherry_shim.proto.task_pb2 import CreateTaskRequest
from wherry_shim.reaper import Reaper
from wherry_shim.settings import Settings
from wherry_shim.task.streams import Names, Streams
from wherry_shim.task.workload import Born
from wherry_shim.worker.root import mount_image

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOG_TAIL = 2048


class Sidecar:
    """See Workload."""

    refusal = ""

    def __init__(
        self, spec: Mapping[str, Any], request: CreateTaskRequest, names: Names, settings: Settings, reaper: Reaper
    ) -> None:
        linux = spec.get("linux") or {}
        path = linux.get("cgroupsPath") or f"/wherry/{request.id}"
        self.cgroup: Cgroup = open_cgroup(path)
        self._systemd = path.count(":") == 2
        self._id = request.id
        self._bundle = Path(request.bundle)
        self._rootfs = [(each.type, each.source, list(each.options)) for each in request.rootfs]
        self._names = names
        self._state = settings.state / "runc"
        self._program = settings.runc
        self._reaper = reaper
        self._streams: dict[str, Streams] = {}
        self._mounted = False

    async def create(self) -> Born:
        target = self._bundle / "rootfs"
        lines = [f"runc {self._state} {self._program}", f"mount {target}"]
        undo.write(self._bundle, lines + [f"cgroup {folder}" for folder in self.cgroup.directories])
        try:
            if self._rootfs:
                target.mkdir(exist_ok=True)
                mount_image(self._rootfs, target, readonly=False)
                self._mounted = True
            return await self._born("", self._names, ["create", "--bundle", str(self._bundle)])
        except BaseException:
            await self.destroy()
            raise

    async def start(self) -> None:
        await self._runc("start", self._id)

    async def execute(self, exec_id: str, process: bytes, names: Names) -> Born:
        description = self._bundle / f"exec-{exec_id}.json"
        description.write_bytes(process)
        try:
            return await self._born(exec_id, names, ["exec", "--detach", "--process", str(description)])
        finally:
            description.unlink()

    def end_input(self, exec_id: str) -> None:
        if streams := self._streams.get(exec_id):
            streams.end_input()

    def resize(self, exec_id: str, width: int, height: int) -> None:
        pass

    async def destroy(self) -> None:
        with suppress(StartError):
            await self._runc("delete", "--force", self._id)
        for streams in self._streams.values():
            streams.end_input()
        self._streams.clear()
        if self._mounted:
            umount(str(self._bundle / "rootfs"), MNT_DETACH)
            self._mounted = False
        undo.forget(self._bundle)

    async def _born(self, exec_id: str, names: Names, command: Sequence[str]) -> Born:
        streams = self._streams[exec_id] = Streams(names)
        pid_file = self._bundle / f"{exec_id or 'init'}.pid"
        try:
            await self._runc(*command, "--pid-file", str(pid_file), self._id, streams=streams.given)
            pid = int(pid_file.read_text())
        finally:
            streams.close()
            pid_file.unlink(missing_ok=True)
        return Born(pid, self._reaper.watch(pid))

    async def _runc(self, *words: str, streams: tuple[int, int, int] | None = None) -> None:
        """Raises StartError with runc's last words."""
        log = self._bundle / "runc.log"
        log.unlink(missing_ok=True)
        options = ["--root", str(self._state), "--log", str(log), "--log-format", "json"]
        options += ["--systemd-cgroup"] if self._systemd else []
        command = [self._program, *options, *words]
        actions = [(os.POSIX_SPAWN_DUP2, each, number) for number, each in enumerate(streams or ())]
        environment = {"PATH": _PATH}
        try:
            pid = os.posix_spawnp(  # noqa: ASYNC221 - it returns when the process is there
                self._program, command, environment, file_actions=actions, setsigdef=[signal.SIGPIPE]
            )
        except OSError as fault:
            raise StartError("instantiate", f"{self._program}: {fault.strerror}", cure="install runc") from fault
        if status := await self._reaper.watch(pid):
            raise StartError("instantiate", f"{words[0]} by {self._program}: {_last_words(log) or f'status {status}'}")


def _last_words(log: Path) -> str:
    """The last error that runc wrote."""
    with suppress(OSError, ValueError, IndexError):
        return str(json.loads(log.read_text()[-_LOG_TAIL:].splitlines()[-1])["msg"])
    return ""
