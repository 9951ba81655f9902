"""A Task service with one task that ends at once with 7, and a shim's program that leads containerd to it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from wherry_shim.proto import process_pb2
from wherry_shim.proto import task_pb2 as task
from wherry_shim.ttrpc.dispatch import Method, Methods

ENDED = Timestamp(seconds=1_800_000_000)


@dataclass
class OneTask:
    """fault: what Start raises."""

    pid: int
    called: list[str] = field(default_factory=list)
    created: task.CreateTaskRequest = field(default_factory=task.CreateTaskRequest)
    fault: Exception | None = None

    @classmethod
    @contextmanager
    def new(cls) -> Iterator[OneTask]:
        """With the number of a process that does nothing."""
        with subprocess.Popen(["sleep", "600"]) as idle:
            try:
                yield cls(idle.pid)
            finally:
                idle.kill()

    def methods(self, service: str) -> Methods:
        pid = self.pid
        state = task.StateResponse(pid=pid, status=process_pb2.STOPPED, exit_status=7, exited_at=ENDED)
        answers: dict[str, tuple[type[Message], Message]] = {
            "Create": (task.CreateTaskRequest, task.CreateTaskResponse(pid=pid)),
            "Start": (task.StartRequest, task.StartResponse(pid=pid)),
            "State": (task.StateRequest, state),
            "Wait": (task.WaitRequest, task.WaitResponse(exit_status=7, exited_at=ENDED)),
            "Delete": (task.DeleteRequest, task.DeleteResponse(pid=pid, exit_status=7, exited_at=ENDED)),
            "Kill": (task.KillRequest, Empty()),
            "Pids": (task.PidsRequest, task.PidsResponse()),
            "Connect": (task.ConnectRequest, task.ConnectResponse(shim_pid=pid, task_pid=pid)),
            "Shutdown": (task.ShutdownRequest, Empty()),
        }
        return {
            (service, name): Method(request, self._answering(name, answer))
            for name, (request, answer) in answers.items()
        }

    def _answering(self, name: str, answer: Message) -> Callable[[Any], Awaitable[Message]]:
        async def call(request: Message) -> Message:
            self.called.append(name)
            if isinstance(request, task.CreateTaskRequest):
                self.created = request
            if name == "Start" and self.fault:
                raise self.fault
            return answer

        return call


def shim(folder: Path, version: int) -> Path:
    """A program whose `start` says that the shim listens at shim.sock, for this version of the Task service."""
    address = f"unix://{folder}/shim.sock"
    reply = json.dumps({"version": version, "address": address, "protocol": "ttrpc"})
    program = folder / f"containerd-shim-stub-v{version}"
    program.write_text(f"#!/bin/sh\ncase \" $* \" in *' start '*) echo '{reply}' ;; esac\n")
    program.chmod(0o755)
    return program
