"""What the host asks a child of the nursery to become: words on the wire between them, and what the child reports."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from wherry.errors import StartError

PLANNER, WORKER = 0, 1
"""Places in the nursery's list of children."""


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """A guest. bundle: its folder. rootfs: mount(2)'s arguments for the container's image, in their order.

    joined: files of namespaces to enter. root: an empty folder. containerd, namespace, content, cache: see `Node`.
    """

    container: str
    bundle: str
    rootfs: Sequence[tuple[str, str, Sequence[str]]]
    joined: Sequence[str]
    root: str
    containerd: str
    namespace: str
    content: str
    cache: str


def words(order: WorkerOrder) -> bytes:
    return json.dumps(asdict(order)).encode()


def worker_order(data: bytes) -> WorkerOrder:
    return WorkerOrder(**json.loads(data))


LEAVE = b"-"
"""What a planner is told instead of an order, when the worker is in the namespaces that it has made."""

# Reports

_READY = b"ready"


def report_ready(descriptor: int) -> None:
    os.write(descriptor, _READY)


def report_fault(descriptor: int, error: StartError) -> None:
    os.write(descriptor, json.dumps({"reason": error.reason, "message": error.message, "cure": error.cure}).encode())


def check_report(data: bytes, what: str) -> None:
    """Raises StartError for anything but ready. what: who reports, for the error of one that ended without a word."""
    if data == _READY:
        return
    if not data:
        raise StartError("instantiate", f"{what} ended before it was ready")
    told = json.loads(data)
    raise StartError(told["reason"], told["message"], cure=told["cure"])
