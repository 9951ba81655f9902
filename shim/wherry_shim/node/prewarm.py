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


def prewarm(node: Node, images: Iterable[str], plan: str = "", *, pull: bool = False) -> Iterator[str]:
    """A line for each image. On another root the tree there does it, since code is for one version of the engine.

    plan: the annotation of the Pods that will come. pull: fetch what the node has not, without any credentials.
    Raises StartError for an image that is not on the node or cannot run, NodeError when nothing is installed.
    """
    if node.host.root == Path("/"):
        for image in images:
            if pull:
                node.cri.pull(image)
            yield _line(node, image, plan)
        return
    if node.placement.current is None:
        raise NodeError("nothing is installed on this node", cure="wherry-node install")
    python = f"{node.prefix}/current/bin/python"
    options = ("--no-systemd", "--prefix", node.prefix, "--plan", plan, *(["--pull"] if pull else []))
    command = (python, "-P", "-m", "wherry_shim.node", "prewarm", *options, *images)
    yield from node.host.run(*node.services.aside(command), seconds=_COMPILING).splitlines()


def _line(node: Node, image: str, plan: str) -> str:
    places = ArtifactNode(
        containerd=node.containerd.socket, content=Path(node.containerd.content), cache=Path(node.cache)
    )
    code = compiled(image, places, places.records(), plan, node.report)
    return f"{image}: {len(code)} compiled, {sum(path.stat().st_size for path in code) / (1 << 20):.1f} MiB"
