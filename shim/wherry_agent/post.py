"""Where an agent stands: its node, its Pod, and the node's folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry_shim.node.host import Host
from wherry_shim.node.node import CACHE, STATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """node, namespace, pod, daemon_set: names in the cluster. root: where the node's root is mounted.

    image: the agent's own, as its Pod names it. probe_class: a RuntimeClass of our handler that any node may run.
    prefix, state, cache: paths of the node.
    """

    node: str
    namespace: str
    pod: str
    daemon_set: str
    root: Path
    prefix: str
    image: str = ""
    probe_class: str = "wherry-probe"
    state: str = STATE
    cache: str = CACHE

    @property
    def host(self) -> Host:
        return Host(self.root)
