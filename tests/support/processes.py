"""Processes of a node that a test may end: by what they are, found by looking at the machine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from tests.support.containerd import Containerd
from tests.support.pods import Pod


def host(node: Containerd, pod: Pod) -> int:
    """The shim host that runs this pod; 0 when there is none."""
    found = (node.zygote.state / "hosts").glob(f"*/pods/{pod.id}")
    return next((int(each.parent.parent.name.rpartition("-")[2]) for each in found), 0)


def hosts(node: Containerd) -> set[int]:
    return {int(each.name.rpartition("-")[2]) for each in (node.zygote.state / "hosts").glob("*-*")}


def nursery(of_host: int) -> int:
    return next(_children(of_host, "wherry-nursery"), 0)


def planners(of_host: int) -> list[int]:
    return list(_children(of_host, "wherry-planner"))


def holder(pod: Pod) -> int:
    said = pod.cri.call("RuntimeService", "PodSandboxStatus", pod_sandbox_id=pod.id, verbose=True)
    return int(json.loads(said.info["info"])["pid"])


def worker(of_host: int, container: str = "") -> int:
    """The guest's process; of this container, where its id is known."""
    workers = _children(of_host, "wherry-worker")
    return next((pid for pid in workers if container in _read(f"/proc/{pid}/cgroup")), 0)


def state(pid: int) -> str:
    """One letter, as ps shows it; "" for one that is gone."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2][1:2]


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    return bool(pid) and state(pid) not in {"", "Z"}


def kill(pid: int) -> None:
    """SIGKILL; what is gone already, or was never there (0), is left alone."""
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _children(pid: int, name: str) -> Iterator[int]:
    for child in map(int, _read(f"/proc/{pid}/task/{pid}/children").split()):
        if _read(f"/proc/{child}/comm").strip() == name:
            yield child


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def holders(of_host: int) -> list[int]:
    return list(_children(of_host, "holder"))


def of_container(container: str) -> list[int]:
    """Processes in the cgroup of this container."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if container in _read(f"/proc/{pid}/cgroup") and is_alive(pid)]


def remembers(pid: int, text: bytes) -> bool:
    """Whether the text is in memory that the process may write: heap, stack, anonymous and private mappings."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            begin, end = (int(each, 16) for each in span.split("-"))
            if rights.startswith("rw") and _holds(memory, begin, end, text):
                return True
    return False


_PIECE = 1 << 22


def _holds(memory: BinaryIO | FileIO, begin: int, end: int, text: bytes) -> bool:
    for start in range(begin, end, _PIECE):
        with suppress(OSError):
            memory.seek(start)
            if text in memory.read(min(_PIECE, end - start) + len(text)):
                return True
    return False


def workers(of_host: int) -> list[int]:
    return list(_children(of_host, "wherry-worker"))
