"""The events of one task, in the order that containerd relies on: create, start, exit, delete."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from wherry_shim.proto import events_pb2 as events
from wherry_shim.proto.mount_pb2 import Mount
from wherry_shim.task.streams import Names

Publish = Callable[[Message], None]
"""Queues an event; never blocks."""


def timestamp() -> Timestamp:
    seconds, nanos = divmod(time.time_ns(), 10**9)
    return Timestamp(seconds=seconds, nanos=nanos)


def created(task: str, bundle: str, rootfs: Iterable[Mount], names: Names, pid: int) -> events.TaskCreate:
    io = events.TaskIO(stdin=names.stdin, stdout=names.stdout, stderr=names.stderr, terminal=names.terminal)
    return events.TaskCreate(container_id=task, bundle=bundle, rootfs=rootfs, io=io, pid=pid)


def exited(task: str, process: str, pid: int, status: int, at: Timestamp) -> events.TaskExit:
    """process: the task's own id, or an exec's."""
    return events.TaskExit(container_id=task, id=process, pid=pid, exit_status=status, exited_at=at)


def deleted(task: str, process: str, pid: int, status: int, at: Timestamp) -> events.TaskDelete:
    return events.TaskDelete(container_id=task, id=process, pid=pid, exit_status=status, exited_at=at)
