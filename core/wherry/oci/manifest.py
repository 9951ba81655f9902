"""Manifests and indexes: parsed strictly from their exact bytes, because the bytes are what a digest names.

Implements image-spec manifest.md and image-index.md; Docker's schema 2 has the same shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wherry.errors import ArtifactError
from wherry.oci.descriptor import Descriptor, parse_annotations, parse_descriptor
from wherry.oci.digest import digest_of
from wherry.oci.document import list_field, parse_object, refuse, text_field

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

MANIFEST_TYPES = (MANIFEST, DOCKER_MANIFEST)
INDEX_TYPES = (INDEX, DOCKER_LIST)

MANIFEST_LIMIT = 4 << 20
"""Bytes of a manifest or an index: what registries accept."""
LAYER_LIMIT = 512
"""Layers that are read at all; how many may run is each layout's own rule."""
ENTRY_LIMIT = 1024
"""Entries of an index that are read at all: one of referrers may be long."""


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest or an index as it is stored: its exact bytes, and the media type that the store gives them."""

    media_type: str
    data: bytes

    @property
    def digest(self) -> str:
        """The name of these bytes."""
        return digest_of(self.data)

    @property
    def descriptor(self) -> Descriptor:
        """How an index or a `subject` points here."""
        return Descriptor.of(self.data, self.media_type)


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest. artifact_type is "" when absent; subject is what it refers to (a signature's target)."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    subject: Descriptor | None = None

    def to_raw(self) -> RawManifest:
        """The bytes that we write: compact JSON, always the same for the same manifest."""
        fields: dict[str, Any] = {"schemaVersion": 2, "mediaType": self.media_type}
        if self.artifact_type:
            fields["artifactType"] = self.artifact_type
        fields |= {"config": self.config.to_json(), "layers": [layer.to_json() for layer in self.layers]}
        if self.subject is not None:
            fields["subject"] = self.subject.to_json()
        return _encode(fields, self.annotations, self.media_type)


@dataclass(frozen=True, slots=True)
class Index:
    """An image index: the manifests of one name for several platforms, or the referrers of one manifest."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    def to_raw(self) -> RawManifest:
        """The bytes that we write."""
        fields: dict[str, Any] = {"schemaVersion": 2, "mediaType": self.media_type}
        fields["manifests"] = [entry.to_json() for entry in self.manifests]
        return _encode(fields, self.annotations, self.media_type)


def _encode(fields: dict[str, Any], annotations: Mapping[str, str], media_type: str) -> RawManifest:
    if annotations:
        fields["annotations"] = dict(sorted(annotations.items()))
    return RawManifest(media_type, json.dumps(fields, separators=(",", ":")).encode())


def untyped(data: bytes, where: str) -> RawManifest:
    """A document from a store that keeps bytes alone: one of before 2021, without a type of its own, is told by its
    shape. Raises ArtifactError.
    """
    fields = parse_object(data, where)
    return RawManifest(
        text_field(fields, "mediaType", where, default=INDEX if "manifests" in fields else MANIFEST), data
    )


def parse(raw: RawManifest, where: str) -> Manifest | Index:
    """A manifest or an index. where names it in errors (`ghcr.io/acme/hello:v1`). Raises ArtifactError.

    A document that could be read as both is refused (the image-spec's advisory on confusable documents).
    """
    if len(raw.data) > MANIFEST_LIMIT:
        refuse(where, f"a manifest of {len(raw.data)} bytes", f"at most {MANIFEST_LIMIT}")
    fields = parse_object(raw.data, where)
    media_type = _media_type(raw, fields, where)
    if media_type in INDEX_TYPES:
        return _index(fields, media_type, where)
    return _manifest(fields, media_type, where)


def parse_manifest(raw: RawManifest, where: str) -> Manifest:
    """As parse, where an index is not acceptable."""
    found = parse(raw, where)
    if isinstance(found, Index):
        refuse(where, "an index", "a manifest")
    return found


def _media_type(raw: RawManifest, fields: Mapping[str, Any], where: str) -> str:
    if fields.get("schemaVersion") == 1:
        raise ArtifactError(
            f"{where}: Docker's manifest schema 1, which is signed in a way that nothing checks any more",
            cure="push it again with any tool made after 2017",
        )
    if fields.get("schemaVersion") != 2:
        refuse(f"{where}.schemaVersion", repr(fields.get("schemaVersion"))[:40], "2")
    claimed = text_field(fields, "mediaType", where, default=raw.media_type)
    if claimed != raw.media_type:
        refuse(f"{where}.mediaType", repr(claimed[:80]), f"{raw.media_type[:80]!r}, as the store says")
    if claimed not in MANIFEST_TYPES + INDEX_TYPES:
        refuse(f"{where}.mediaType", repr(claimed[:80]), "an OCI or Docker manifest or index")
    return claimed


def _manifest(fields: Mapping[str, Any], media_type: str, where: str) -> Manifest:
    if "manifests" in fields:
        refuse(where, "a manifest that is an index as well (`manifests`)", "one of the two")
    subject = fields.get("subject")
    layers = list_field(fields, "layers", where, LAYER_LIMIT)
    return Manifest(
        media_type=media_type,
        config=parse_descriptor(fields.get("config"), f"{where}.config"),
        layers=tuple(parse_descriptor(layer, f"{where}.layers[{i}]") for i, layer in enumerate(layers)),
        annotations=parse_annotations(fields, where),
        artifact_type=text_field(fields, "artifactType", where, default=""),
        subject=None if subject is None else parse_descriptor(subject, f"{where}.subject"),
    )


def _index(fields: Mapping[str, Any], media_type: str, where: str) -> Index:
    if "layers" in fields or "config" in fields:
        refuse(where, "an index that is a manifest as well (`layers` or `config`)", "one of the two")
    entries = list_field(fields, "manifests", where, ENTRY_LIMIT)
    parsed = tuple(parse_descriptor(entry, f"{where}.manifests[{i}]") for i, entry in enumerate(entries))
    return Index(media_type, parsed, parse_annotations(fields, where))
