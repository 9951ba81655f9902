"""A containerd content store as a folder of blobs, and what containerd would answer about names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import bundles
from tests.support.artifacts import Built
from wherry.errors import StartError
from wherry.oci.digest import digest_of, hex_of
from wherry.plan.bundle import read
from wherry_shim.artifact.chain import Task
from wherry_shim.artifact.node import Node

REPOSITORY = "registry.example/hello"


@dataclass
class Records:
    """Container to image, image to digest."""

    containers: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)

    def image_of(self, container: str) -> str:
        return _found(self.containers, container)

    def target(self, image: str) -> str:
        return _found(self.images, image)


def _found(names: dict[str, str], name: str) -> str:
    if name not in names:
        raise StartError("artifact", f"{name}: containerd does not have it")
    return names[name]


@dataclass
class Pulled:
    """A node with folders of its own."""

    folder: Path
    records: Records = field(default_factory=Records)

    @property
    def node(self) -> Node:
        return Node(content=self.folder / "content", cache=self.folder / "cache")

    def blob(self, digest: str) -> Path:
        """Where a blob lies."""
        path = self.folder / "content" / "blobs" / "sha256" / hex_of(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, data: bytes) -> str:
        """As containerd keeps it: read-only, by digest."""
        path = self.blob(digest_of(data))
        if not path.exists():
            path.write_bytes(data)
            path.chmod(0o444)
        return digest_of(data)

    def pull(self, artifact: Built) -> str:
        """Everything of an artifact; the reference that pins it."""
        for child in artifact.children:
            self.pull(child)
        for data in (*artifact.blobs, artifact.manifest.data):
            self.put(data)
        return f"{REPOSITORY}@{artifact.manifest.digest}"

    def task(self, image: str, rootfs: Path | None = None, **container: Any) -> Task:
        """A container of the image that the shim is asked to create."""
        bundle = read(bundles.config(bundles.Container(image=image, **container)))
        return Task("c1", bundle, lambda: rootfs or self.folder / "rootfs")
