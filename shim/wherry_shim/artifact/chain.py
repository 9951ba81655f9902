"""The chain of trust: image → manifest → config → Wasm, each read by its digest and hashed.

The plan's annotation is no part of it: whoever may create a Pod may write there the digest of anything on the node.
What is found here is compared with it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wherry.engine.prepare import inspected
from wherry.errors import StartError, WherryError
from wherry.oci import layouts
from wherry.oci.resolve import resolve
from wherry.plan.bundle import Bundle
from wherry.plan.from_bundle import from_bundle
from wherry.plan.model import RunPlan, WasmFile
from wherry_shim.artifact.content import ContentStore
from wherry_shim.artifact.image import Image, Records, open_image, target
from wherry_shim.artifact.node import Node
from wherry_shim.artifact.rootfs import kept

WASM_LIMIT = 256 << 20
"""Bytes of a binary that a node runs at all."""


@dataclass(frozen=True, slots=True)
class Task:
    """What containerd asks the shim to create. rootfs: mounts it; called for tar images alone."""

    container: str
    bundle: Bundle
    rootfs: Callable[[], Path]


@dataclass(frozen=True, slots=True)
class Located:
    """The Wasm of a container's image. unique: the image's config stands for these bytes and no others.

    containerd knows an image by the digest of its config. Where another manifest with an equal config and other bytes
    may be taken for this one, only an annotation that agrees can tell that it was not.
    """

    file: WasmFile
    unique: bool


def planned(task: Task, node: Node, records: Records) -> RunPlan:
    """The plan of a Wasm container. Raises StartError `artifact`, `mount`, `plan` or `invalid-module`."""
    found = located(task, node, records)
    if not found.unique and task.bundle.plan is None:
        raise StartError(
            "artifact",
            f"container {task.bundle.name}: the config of its image does not name the Wasm, so that another image may "
            "pass for it",
            cure="`wherry push` the .wasm, or let a WasmApp pin it",
        )
    return from_bundle(task.bundle, found.file, lambda: inspected(found.file))


def located(task: Task, node: Node, records: Records) -> Located:
    """The Wasm, hashed. Raises StartError `artifact`."""
    with _refusals():
        image = _image(task.bundle.image, task.container, node, records)
        if _is_layer(image):
            return _layer(image, node)
        return Located(kept(task.rootfs(), task.bundle, node.cache, WASM_LIMIT), unique=True)


def layer_of(name: str, node: Node, records: Records) -> Located:
    """The Wasm of an image that no container needs to have, hashed. Raises StartError `artifact`."""
    with _refusals():
        image = _image(name, "", node, records)
        if _is_layer(image):
            return _layer(image, node)
    raise StartError("artifact", f"{name}: its Wasm is a file in its root filesystem", cure="`wherry push` the .wasm")


def is_wasm_image(task: Task, node: Node, records: Records) -> bool:
    """Whether the image has a layout whose Wasm is a layer. An image that cannot be read is an ordinary one."""
    try:
        return _is_layer(_image(task.bundle.image, task.container, node, records))
    except WherryError:
        return False


def _image(name: str, container: str, node: Node, records: Records) -> Image:
    name, digest = target(name, container, records)
    return open_image(ContentStore(node.content, name), digest)


def _is_layer(image: Image) -> bool:
    return layouts.detect(image.manifest, image.store.name).how == "layer"


def _layer(image: Image, node: Node) -> Located:
    found = resolve(image.store, image.digest)
    layer = found.layers[0]
    path = image.store.file(layer, WASM_LIMIT, node.cache / "seals")
    unique = found.claim is not None and found.claim.layer_digests == (layer.digest,)
    return Located(WasmFile(str(path), layer.digest), unique)


@contextmanager
def _refusals() -> Iterator[None]:
    """Whatever is wrong with an image, the container does not start for its artifact."""
    try:
        yield
    except StartError:
        raise
    except WherryError as error:
        raise StartError("artifact", error.message, cure=error.cure) from error
