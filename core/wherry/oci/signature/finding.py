"""Finding the signatures of a manifest in its repository: the `.sig` tag, then the referrers.

What an index says of a referrer is not believed (some releases of cosign write the wrong artifactType there): each
referrer is read and its own subject compared. One that cannot be used is put aside with its reason, never trusted.
"""

from __future__ import annotations

from collections.abc import Iterator

from wherry.errors import ArtifactError, RegistryError
from wherry.oci.descriptor import Descriptor
from wherry.oci.manifest import Manifest, parse_manifest
from wherry.oci.signature import bundle, simplesigning
from wherry.oci.signature.claim import Claim
from wherry.oci.store import SMALL_BLOB, Repository

REFERRERS_LIMIT = 32
"""Referrers that are read; those that say they are signatures come first."""
LAYERS_LIMIT = 32
"""Signature layers of one manifest that are read."""

_READABLE = (simplesigning.LAYER, bundle.MEDIA_TYPE)


def claims(repository: Repository, digest: str) -> Iterator[Claim | ArtifactError]:
    """Claims about `digest`, unchecked, and the reasons of those that cannot be used. Lazy: one that is enough ends it.

    Raises RegistryError when the registry cannot be read, because then nobody knows who signed.
    """
    for where, manifest in _manifests(repository, digest):
        if isinstance(manifest, ArtifactError):
            yield manifest
            continue
        for number, layer in enumerate(manifest.layers[:LAYERS_LIMIT]):
            if layer.media_type in _READABLE:
                yield _claim(repository, layer, digest, f"{where}.layers[{number}]")


def _manifests(repository: Repository, digest: str) -> Iterator[tuple[str, Manifest | ArtifactError]]:
    tag = simplesigning.tag_of(digest)
    where = f"{repository.name}:{tag}"
    try:
        raw = repository.find_manifest(tag)
        if raw is not None:
            yield where, parse_manifest(raw, where)
    except ArtifactError as fault:
        yield where, fault
    for entry in _likely_first(repository.referrers(digest))[:REFERRERS_LIMIT]:
        where = f"{repository.name}@{entry.digest}"
        found = _referrer(repository, entry, digest, where)
        if found is not None:
            yield where, found


def _likely_first(entries: tuple[Descriptor, ...]) -> list[Descriptor]:
    return sorted(entries, key=lambda entry: entry.artifact_type != bundle.MEDIA_TYPE)


def _referrer(repository: Repository, entry: Descriptor, digest: str, where: str) -> Manifest | ArtifactError | None:
    """None: not there, or not a referrer of this digest whatever the index says."""
    try:
        raw = repository.find_manifest(entry.digest)
        manifest = None if raw is None else parse_manifest(raw, where)
    except ArtifactError as fault:
        return fault
    if manifest is None or manifest.subject is None or manifest.subject.digest != digest:
        return None
    return manifest


def _claim(repository: Repository, layer: Descriptor, digest: str, where: str) -> Claim | ArtifactError:
    try:
        blob = repository.blob(layer, SMALL_BLOB)
        if layer.media_type == bundle.MEDIA_TYPE:
            return bundle.read(blob, digest, where)
        return simplesigning.read(blob, layer, digest, where)
    except ArtifactError as fault:
        return fault
    except RegistryError as fault:
        if fault.kind != "notfound":
            raise
        return ArtifactError(f"{where}: the signature's payload is not there")
