"""What a cgroup uses, as containerd's Metrics."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any

from wherry_shim.linux.cgroup.statistics import Statistics
from wherry_shim.proto import cgroup1_pb2
from wherry_shim.proto.typeurl import packed


def metrics(found: Statistics) -> Any:
    message = cgroup1_pb2.Metrics()
    message.pids.current = found.pids
    message.cpu.usage.total = found.cpu.usage
    message.memory.usage.usage = found.memory.usage
    return packed(message)
