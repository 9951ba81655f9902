"""`wherry-node prewarm`: code of images that the node has, compiled before their first pod waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from wherry_shim.artifact.node import Node as ArtifactNode
from wherry_shim.artifact.prewarm import prewarm as compiled
from wherry_shim.node.fault import NodeError
from wherry_shim.node.node import Node

_COMPILING = 1800.0
"""Seconds for all images."""


def prewarm(node: Node, images: Iterable[str]) -> Iterator[str]:
    """A line for each image. On another root the tree there does it, since code is for one version of the engine.

    Raises StartError for an image that is not on the node or cannot run, NodeError when nothing is installed.
    """
    if node.host.root == Path("/"):
        yield from (_line(node, image) for image in images)
        return
    if node.placement.current is None:
        raise NodeError("nothing is installed on this node", cure="wherry-node install")
    python = f"{node.prefix}/current/bin/python"
    command = (python, "-P", "-m", "wherry_shim.node", "prewarm", "--no-systemd", "--prefix", node.prefix, *images)
    yield from node.host.run(*command, seconds=_COMPILING).splitlines()


def _line(node: Node, image: str) -> str:
    places = ArtifactNode(
        containerd=node.containerd.socket, content=Path(node.containerd.content), cache=Path(node.cache)
    )
    code = compiled(image, places, places.records(), report=node.report)
    return f"{image}: {len(code)} compiled, {sum(path.stat().st_size for path in code) / (1 << 20):.1f} MiB"
