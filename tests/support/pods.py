"""Pods and containers that run, as handles: what a test does with them reads as a sentence.

pod = node.run(PodSpec("web"), handler="runc")
container = pod.start(ContainerSpec(image, args=("hello",)))
assert container.ended().exit_code == 0
assert container.out() == "hello\n"
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.support import cri_logs
from tests.support.cri import Cri, Executed
from tests.support.cri_configs import ContainerSpec, PodSpec

T = TypeVar("T")
STATES = ("created", "running", "exited", "unknown")
PATIENCE = 120.0


@dataclass(frozen=True)
class Status:
    """state: one of STATES. Times are nanoseconds since 1970, 0 where it has not come to it."""

    state: str
    exit_code: int
    reason: str
    message: str
    started_at: int
    finished_at: int


@dataclass(frozen=True)
class Pod:
    """A sandbox that runs. Its folder holds the logs."""

    cri: Cri
    id: str
    spec: PodSpec
    config: Any
    folder: Path

    def create(self, spec: ContainerSpec) -> Container:
        """A container that is not started yet."""
        return Container(self, self.cri.create(self.id, spec.config(self.spec), self.config), spec)

    def start(self, spec: ContainerSpec) -> Container:
        """A container that runs."""
        container = self.create(spec)
        container.start()
        return container

    @property
    def ip(self) -> str:
        """Empty on the host's network."""
        return str(self.cri.pod_status(self.id).network.ip)

    @property
    def ready(self) -> bool:
        return bool(self.cri.pod_status(self.id).state == 0)

    def stats(self) -> Any:
        """A LinuxPodSandboxStats."""
        return self.cri.pod_stats(self.id)

    def stop(self) -> None:
        self.cri.stop_pod(self.id)

    def remove(self) -> None:
        """Stop and remove it with its containers; what is gone already is no error."""
        self.cri.stop_pod(self.id)
        self.cri.remove_pod(self.id)


@dataclass(frozen=True)
class Container:
    pod: Pod
    id: str
    spec: ContainerSpec

    @property
    def _cri(self) -> Cri:
        return self.pod.cri

    def start(self) -> None:
        self._cri.start(self.id)

    def stop(self, grace: int = 10) -> Status:
        """SIGTERM, after grace seconds SIGKILL; how it ended."""
        self._cri.stop(self.id, grace)
        return self.status()

    def remove(self) -> None:
        self._cri.remove(self.id)

    def status(self) -> Status:
        said = self._cri.status(self.id)
        ended = (said.exit_code, said.reason, said.message, said.started_at, said.finished_at)
        return Status(STATES[said.state], *ended)

    @property
    def pid(self) -> int:
        """Of its first process, in this machine's numbers."""
        return int(json.loads(self._cri.details(self.id)["info"])["pid"])

    def ended(self, seconds: float = PATIENCE) -> Status:
        """How it ended, waited for."""
        return until(lambda: status if (status := self.status()).state == "exited" else None, seconds)

    @property
    def log(self) -> Path:
        return self.pod.folder / self.spec.log_name()

    def lines(self) -> list[cri_logs.Line]:
        """What it has written so far."""
        return cri_logs.parse(self.log.read_text()) if self.log.exists() else []

    def out(self, stream: str = "stdout") -> str:
        """The text of one stream so far."""
        return "".join(f"{line.text}\n" for line in self.lines() if line.stream == stream)

    def says(self, text: str, seconds: float = PATIENCE) -> str:
        """The first line that holds this text, waited for."""
        return until(lambda: next((line.text for line in self.lines() if text in line.text), None), seconds)

    def exec(self, *command: str) -> Executed:
        return self._cri.exec(self.id, command)

    def stats(self) -> Any:
        """A ContainerStats."""
        return self._cri.stats(self.id)

    def update(self, **resources: Any) -> None:
        self._cri.update(self.id, **resources)

    def rotate_log(self) -> Path:
        """Move the log away and let containerd open a new one, as the kubelet does; where the old one is."""
        old = self.log.with_suffix(".log.1")
        os.rename(self.log, old)
        self._cri.reopen_log(self.id)
        return old


def until(holds: Callable[[], T | None], seconds: float = PATIENCE, pause: float = 0.005) -> T:
    """The first answer that is true, asked again after each pause."""
    end = time.monotonic() + seconds
    while not (answer := holds()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:.0f} s")
        time.sleep(pause)
    return answer
