"""Names of services on the wire."""

from __future__ import annotations

TASK_SERVICES = ("containerd.task.v2.Task", "containerd.task.v3.Task")
"""The same methods and messages: containerd calls v3 if our address was answered with version 3, else v2."""

EVENTS_SERVICE = "containerd.services.events.ttrpc.v1.Events"
