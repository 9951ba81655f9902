"""The topic of each event: what containerd's subscribers filter by."""

from __future__ import annotations

from google.protobuf.message import Message

from wherry_shim.proto import events_pb2 as events

TOPICS: dict[type[Message], str] = {
    events.TaskCreate: "/tasks/create",
    events.TaskStart: "/tasks/start",
    events.TaskOOM: "/tasks/oom",
    events.TaskExit: "/tasks/exit",
    events.TaskDelete: "/tasks/delete",
    events.TaskExecAdded: "/tasks/exec-added",
    events.TaskExecStarted: "/tasks/exec-started",
    events.TaskPaused: "/tasks/paused",
    events.TaskResumed: "/tasks/resumed",
}


def topic_of(event: Message) -> str:
    """Raises KeyError for what is no event of a task."""
    return TOPICS[type(event)]
