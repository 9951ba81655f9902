"""The tag that stands for the referrers API where a store has none (distribution-spec §Referrers Tag Schema).

Reading, changing and writing the tag is not atomic: two writers at once may lose one entry. The specification knows.
"""

from __future__ import annotations

from wherry.oci.descriptor import Descriptor
from wherry.oci.manifest import INDEX, Index, Manifest, RawManifest, parse
from wherry.oci.store import Repository


def tag_of(digest: str) -> str:
    """`sha256-<hex>`."""
    return digest.replace(":", "-")


def from_tag(repository: Repository, digest: str) -> tuple[Descriptor, ...]:
    """What the tag's index lists; empty without one."""
    raw = repository.find_manifest(tag_of(digest))
    found = parse(raw, f"{repository.name}:{tag_of(digest)}") if raw else None
    return found.manifests if isinstance(found, Index) else ()


def add_to_tag(repository: Repository, raw: RawManifest, manifest: Manifest, subject: str) -> None:
    """List a manifest as a referrer of subject; one that is listed already changes nothing."""
    entries = from_tag(repository, subject)
    if raw.digest not in {entry.digest for entry in entries}:
        added = (*entries, _entry(raw, manifest))
        repository.put_manifest(Index(INDEX, added).to_raw(), tag_of(subject))


def _entry(raw: RawManifest, manifest: Manifest) -> Descriptor:
    kind = manifest.artifact_type or manifest.config.media_type
    return Descriptor(raw.media_type, raw.digest, len(raw.data), manifest.annotations, kind)
