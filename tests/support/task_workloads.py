"""Workloads for a Task service without containerd: processes of this machine, and containers of the real runc.

Both keep the contract of `Workload`. The first needs neither root nor runc, and can be told what its cgroup says.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support import programs
from wherry.errors import StartError
from wherry_shim.linux.cgroup import Cgroup
from wherry_shim.linux.cgroup.statistics import Cpu, Memory, Statistics
from wherry_shim.proto.mount_pb2 import Mount
from wherry_shim.proto.task_pb2 import CreateTaskRequest
from wherry_shim.reaper import Reaper
from wherry_shim.settings import Settings
from wherry_shim.task.sidecar import Sidecar
from wherry_shim.task.streams import Names
from wherry_shim.task.workload import Born, Executor

PROCESS = {"cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}


def process(*command: str, **more: Any) -> bytes:
    """A process of the runtime specification that runs a shell command."""
    return json.dumps(PROCESS | {"args": ["/bin/sh", "-c", *command]} | more).encode()


class Processes:
    """A cgroup as far as a task sees it: processes, stopped and let go on by signals."""

    path = "/none"
    slow = False
    directories: Sequence[str] = ()

    def __init__(self) -> None:
        self.members: list[int] = []
        self.updates: list[Mapping[str, Any]] = []
        self.killed_for_memory = 0

    def create(self, resources: Mapping[str, Any]) -> None: ...

    def update(self, resources: Mapping[str, Any]) -> None:
        self.updates.append(resources)

    def join(self, pid: int) -> None: ...

    def descriptor(self) -> None:
        return None

    def pids(self) -> list[int]:
        return [pid for pid in self.members if _runs(pid)]

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def oom_kills(self) -> int:
        return self.killed_for_memory

    def statistics(self) -> Statistics:
        memory = Memory(4096, None, 4096, 0, None, {}, {})
        return Statistics(1, Cpu(1, 1, 0, 0, 0, 0), memory, len(self.pids()), None, self.killed_for_memory)

    def remove(self) -> None: ...

    def _signal(self, number: int) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # before it was opened, or since
        return False


class ProcessWorkload:
    """See Workload. The shell command waits for `start`. fault: what `create` raises."""

    def __init__(self, command: str, reaper: Reaper, refusal: str = "", fault: Exception | None = None) -> None:
        self.processes = Processes()
        self.cgroup: Cgroup = self.processes
        self.executor: Executor | str = refusal or self
        self.destroyed = 0
        self._command, self._reaper, self._fault = command, reaper, fault
        self._go = -1

    async def create(self) -> Born:
        if self._fault:
            raise self._fault
        waits, self._go = os.pipe2(os.O_CLOEXEC)
        born = self._spawned(f"read go && {{ {self._command}; }}", waits)
        os.close(waits)
        return born

    async def start(self) -> None:
        os.write(self._go, b"go\n")

    async def execute(self, exec_id: str, process: bytes, names: Names) -> Born:
        command = json.loads(process)["args"][-1]
        if "no-such-program" in command:
            raise StartError("instantiate", "no-such-program: No such file or directory")
        return self._spawned(command, 0)

    def _spawned(self, command: str, stdin: int) -> Born:
        actions = [(os.POSIX_SPAWN_DUP2, stdin, 0)]
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", command], {"PATH": "/bin:/usr/bin"}, file_actions=actions)
        self.processes.members.append(pid)
        return Born(pid, self._reaper.watch(pid))

    def end_input(self, exec_id: str) -> None: ...

    def resize(self, exec_id: str, width: int, height: int) -> None: ...

    async def destroy(self) -> None:
        self.destroyed += 1
        if self._go >= 0:
            os.close(self._go)
        self._go = -1


def bundle(folder: Path, command: str, container: str, **process_more: Any) -> CreateTaskRequest:
    """A bundle of runc's with busybox's shell in it, and the request that makes it a task.

    Its root file system is a mount, as an image's is: of a folder beside the bundle.
    """
    image = folder / "image"
    (image / "bin").mkdir(parents=True, exist_ok=True)
    for applet in ("sh", "sleep", "cat", "stty", "echo", "kill"):
        if not (image / "bin" / applet).exists():
            shutil.copy(programs.installed("busybox"), image / "bin" / applet)
    home = folder / container
    shutil.rmtree(home, ignore_errors=True)  # containerd makes a new one each time
    home.mkdir()
    subprocess.run([programs.installed("runc"), "spec"], cwd=home, check=True)
    config = json.loads((home / "config.json").read_text())
    config["process"] = json.loads(process(command, **{"terminal": False, **process_more}))
    config["root"] = {"path": "rootfs", "readonly": False}
    config["linux"]["cgroupsPath"] = f"/wherry-task-{os.getpid()}/{container}"
    (home / "config.json").write_text(json.dumps(config))
    mount = Mount(type="bind", source=str(image), options=["rbind", "rw"])
    return CreateTaskRequest(id=container, bundle=str(home), rootfs=[mount])


def sidecar(request: CreateTaskRequest, reaper: Reaper, folder: Path, runc: str | None = None) -> Sidecar:
    """By the real runc, or by another program."""
    spec = json.loads(Path(request.bundle, "config.json").read_text())
    settings = Settings(state=folder, runc=runc or str(programs.installed("runc")))
    names = Names(request.stdin, request.stdout, request.stderr, request.terminal)
    return Sidecar(spec, request, names, "tests", settings, reaper)
