"""`wherry-node check`: what is installed on a node and whether it works. Looks, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wherry_shim.node.fault import NodeError
from wherry_shim.node.node import Node
from wherry_shim.node.table import HANDLER


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer. good: None for what is neither good nor bad."""

    name: str
    value: str
    good: bool | None = None


def check(node: Node) -> list[Finding]:
    """Everything, also when nothing is installed. Never raises NodeError."""
    return [_version(node), *_files(node), _zygote(node), _containerd(node), *_runtime(node), _cache(node)]


def _version(node: Node) -> Finding:
    current = node.placement.current
    return Finding("version", current or "not installed", good=current is not None)


def _files(node: Node) -> Iterator[Finding]:
    if current := node.placement.current:
        damage = node.placement.damage(current)
        value = "intact" if not damage else f"{len(damage)} changed: {', '.join(damage[:3])}"
        yield Finding("files", value, good=not damage)
    foreign = [path for path in node.changes.paths() if not node.changes.unchanged_by_others(path)]
    if foreign:
        yield Finding("edited", f"{', '.join(foreign)}: changed since; uninstall will keep those changes")


def _zygote(node: Node) -> Finding:
    alive = node.services.zygote_is_alive()
    return Finding("zygote", "alive" if alive else "not running", good=alive)


def _containerd(node: Node) -> Finding:
    version = ".".join(map(str, node.containerd.version))
    return Finding("containerd", f"{version}, {node.containerd.kubernetes.name}, {node.containerd.config}")


def _runtime(node: Node) -> Iterator[Finding]:
    try:
        known = HANDLER in node.cri.handlers()
        pods = sum(1 for _ in node.cri.sandboxes(HANDLER))
    except NodeError as fault:
        yield Finding("runtime", fault.message, good=False)
        return
    yield Finding("runtime", "known to containerd" if known else "not known to containerd", good=known)
    yield Finding("pods", str(pods))


def _cache(node: Node) -> Finding:
    size = sum(_sizes(node.host.at(node.cache)))
    return Finding("cache", f"{size / (1 << 20):.1f} MiB in {node.cache}")


def _sizes(root: Path) -> Iterator[int]:
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                yield (Path(folder) / name).lstat().st_size
            except FileNotFoundError:  # evicted while we looked
                continue
