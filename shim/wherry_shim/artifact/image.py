"""From the image that a container names to the manifest that containerd runs of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from wherry.errors import ArtifactError
from wherry.oci import index_choice
from wherry.oci.digest import is_digest
from wherry.oci.manifest import Index, Manifest, parse, parse_manifest
from wherry.oci.reference import parse as parse_reference
from wherry_shim.artifact.content import ContentStore


class Records(Protocol):
    """What containerd keeps beside the bytes. Raises StartError `artifact`: not there, or no answer."""

    def image_of(self, container: str) -> str:
        """The name of a container's image, as in `target`."""

    def target(self, image: str) -> str:
        """The digest that an image's full name stands for: of a manifest or an index."""


@dataclass(frozen=True, slots=True)
class Image:
    """A manifest in the content store. digest: its own."""

    store: ContentStore
    digest: str
    manifest: Manifest


def target(name: str, container: str, records: Records) -> tuple[str, str]:
    """Name and digest of a container's image. name: as the kubelet or containerd told the shim, "" for neither.

    A name with a digest needs no question: containerd took the bytes of that digest for it. Raises InvalidReference.
    """
    if not name:
        name = records.image_of(container)
        return name, records.target(name)
    if is_digest(name):  # an image's ID: the digest of its config, under which containerd lists it as well
        return name, records.target(name)
    reference = parse_reference(name)
    return str(reference), reference.digest or records.target(str(reference))


def open_image(store: ContentStore, digest: str) -> Image:
    """The manifest, or of an index the one that was pulled. Raises ArtifactError."""
    raw = store.manifest(digest)
    found = parse(raw, store.name)
    if isinstance(found, Index):
        raw = store.manifest(index_choice.choose(_pulled(store, found), store.name).digest)
        found = parse_manifest(raw, store.name)
    return Image(store, raw.digest, found)


def _pulled(store: ContentStore, index: Index) -> Index:
    """containerd pulls and runs the entry for this machine where there is one, whatever else the index offers."""
    here = [entry for entry in index.manifests if store.has(entry.digest)]
    if not here:
        raise ArtifactError(
            f"{store.name}: got an index of which no manifest is on this node, expected one of {len(index.manifests)}",
            cure="name the Wasm manifest itself by its digest",
        )
    native = [entry for entry in here if entry.platform and entry.platform.os == "linux"]
    return replace(index, manifests=tuple(native or here))
