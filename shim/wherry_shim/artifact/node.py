"""Where things are on a node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry.engine.eviction import QUOTA
from wherry_shim.artifact.containerd import Containerd


@dataclass(frozen=True, slots=True)
class Node:
    """containerd: its socket. namespace: of the kubelet's containers. content: folder of its content store's plugin.

    cache: our own, for root alone. quota: bytes of it.
    """

    containerd: str = "/run/containerd/containerd.sock"
    namespace: str = "k8s.io"
    content: Path = Path("/var/lib/containerd/io.containerd.content.v1.content")
    cache: Path = Path("/var/lib/wherry")
    quota: int = QUOTA

    def records(self) -> Containerd:
        """What containerd knows beside its files; nothing is connected before it is asked."""
        return Containerd(self.containerd, self.namespace)
