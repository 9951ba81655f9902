"""The page for Prometheus: the guests of this node by app and Pod, and the node's own state."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wherry.engine.exposition import Family, Labels, Sample, families, page
from wherry_agent.ledger import Meter


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """installed: the tree in use, "" for none. pods: Wasm pods that run. attempts: installs, by how they ended."""

    node: str
    installed: str
    zygote: bool
    marked: bool
    pods: int
    cache_files: int
    cache_bytes: int
    attempts: dict[str, int]


def node_page(state: NodeState, meters: Iterable[Meter]) -> bytes:
    """In the text exposition format."""
    guests = families((_labels(meter), meter.total) for meter in meters)
    return page([*_of_node(state), *guests]).encode()


def cache_size(cache: Path) -> tuple[int, int]:
    """Compiled programs in the cache, and bytes of everything in it on the disk."""
    files = size = 0
    for folder, _, names in os.walk(cache):
        for name in names:
            try:
                size += os.lstat(f"{folder}/{name}").st_blocks * 512
            except FileNotFoundError:  # evicted while we looked
                continue
            files += name.endswith(".cwasm")
    return files, size


def _labels(meter: Meter) -> Labels:
    pod = meter.pod
    return {"namespace": pod.namespace, "pod": pod.name, "container": meter.container, "app": pod.app}


def _of_node(state: NodeState) -> Iterator[Family]:
    def gauge(name: str, sentence: str, value: float, labels: Labels | None = None) -> Family:
        sample = Sample({"node": state.node, **(labels or {})}, value)
        return Family(f"wherry_node_{name}", "gauge", sentence, (sample,))

    version = {"version": state.installed}
    yield gauge("installed", "1 with the version that is installed.", int(bool(state.installed)), version)
    yield gauge("zygote_up", "1 while the zygote takes pods.", int(state.zygote))
    yield gauge("ready", "1 while the node has the label by which pods find it.", int(state.marked))
    yield gauge("pods", "Pods with a Wasm container.", state.pods)
    yield gauge("cache_files", "Compiled programs in the cache.", state.cache_files)
    yield gauge("cache_bytes", "Size of the cache on the disk.", state.cache_bytes)
    attempts = (Sample({"node": state.node, "outcome": name}, value) for name, value in state.attempts.items())
    yield Family("wherry_node_installs_total", "counter", "Installs and repairs, by how they ended.", tuple(attempts))
