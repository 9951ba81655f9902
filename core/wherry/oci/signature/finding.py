"""Finding the signatures of a manifest in its repository: the `.sig` tag, then the referrers.

What an index says of a referrer is not believed (some releases of cosign write the wrong artifactType there): each
referrer is read and its own subject compared. One that cannot be used is put aside with its reason, never trusted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TypeGuard, TypeVar

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
_SPOILT = frozenset({"notfound", "toobig", "digest", "protocol"})
"""Kinds of RegistryError that are about one manifest or blob."""

Found = TypeVar("Found")


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
                at = f"{where}.layers[{number}]"
                yield _usable(at, functools.partial(_claim, repository, layer, digest, at))


def _manifests(repository: Repository, digest: str) -> Iterator[tuple[str, Manifest | ArtifactError]]:
    tag = simplesigning.tag_of(digest)
    where = f"{repository.name}:{tag}"
    if found := _usable(where, functools.partial(_manifest, repository, tag, where)):
        yield where, found
    entries = _usable(f"{repository.name}@{digest}", lambda: repository.referrers(digest))
    if isinstance(entries, ArtifactError):
        yield "", entries
        return
    for entry in _likely_first(entries)[:REFERRERS_LIMIT]:
        where = f"{repository.name}@{entry.digest}"
        found = _usable(where, functools.partial(_manifest, repository, entry.digest, where))
        if isinstance(found, ArtifactError) or _refers(found, digest):
            yield where, found


def _likely_first(entries: tuple[Descriptor, ...]) -> list[Descriptor]:
    return sorted(entries, key=lambda entry: entry.artifact_type != bundle.MEDIA_TYPE)


def _refers(manifest: Manifest | None, digest: str) -> TypeGuard[Manifest]:
    return manifest is not None and manifest.subject is not None and manifest.subject.digest == digest


def _manifest(repository: Repository, reference: str, where: str) -> Manifest | None:
    raw = repository.find_manifest(reference)
    return None if raw is None else parse_manifest(raw, where)


def _claim(repository: Repository, layer: Descriptor, digest: str, where: str) -> Claim:
    blob = repository.blob(layer, SMALL_BLOB)
    if layer.media_type == bundle.MEDIA_TYPE:
        return bundle.read(blob, digest, where)
    return simplesigning.read(blob, layer, digest, where)


def _usable(where: str, read: Callable[[], Found]) -> Found | ArtifactError:
    """What was read, or why this one cannot be used although the registry can be read."""
    try:
        return read()
    except ArtifactError as fault:
        return fault
    except RegistryError as fault:
        if fault.kind not in _SPOILT:
            raise
        return ArtifactError(f"{where}: {fault.message}")
