"""What an `Any` of containerd holds: a message by its full name, or JSON of the OCI runtime specification.

containerd writes the bare name, without `type.googleapis.com/`, and takes either.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

_SPEC = "types.containerd.io/opencontainers/runtime-spec/1"
PROCESS = f"{_SPEC}/Process"
LINUX_RESOURCES = f"{_SPEC}/LinuxResources"
FEATURES = f"{_SPEC}/features/Features"


def packed(message: Message) -> Any:
    """The message as containerd's own shim packs it."""
    return Any(type_url=message.DESCRIPTOR.full_name, value=message.SerializeToString())


def holds(content: Any, kind: type[Message]) -> bool:
    """Whether this is a message of the kind, whoever packed it."""
    return content.type_url.rpartition("/")[2] == kind.DESCRIPTOR.full_name


def unpacked(content: Any, kind: type[M]) -> M:
    """The message inside. Raises ValueError for another type, and protobuf's DecodeError for broken bytes."""
    if not holds(content, kind):
        raise ValueError(f"got a message of type {content.type_url!r}, expected {kind.DESCRIPTOR.full_name!r}")
    return kind.FromString(content.value)
