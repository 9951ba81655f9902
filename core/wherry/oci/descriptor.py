"""Descriptors: what a manifest says of other bytes (image-spec, descriptor.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wherry.oci.digest import digest_of, is_digest
from wherry.oci.document import describe, object_field, refuse, text_field

TITLE = "org.opencontainers.image.title"
REF_NAME = "org.opencontainers.image.ref.name"

ANNOTATION_LIMIT = 64 << 10
"""Bytes of all annotations of one document together."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Of an index entry; "" where the entry does not say."""

    os: str = ""
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Bytes elsewhere: media type, digest and size in bytes.

    platform is None when the entry has none: that is not the same as an empty one when an index is read.
    """

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    platform: Platform | None = None

    @classmethod
    def of(cls, data: bytes, media_type: str, annotations: Mapping[str, str] | None = None) -> Descriptor:
        """The descriptor of bytes in memory."""
        return cls(media_type, digest_of(data), len(data), annotations or {})

    def to_json(self) -> dict[str, Any]:
        """As a manifest writes it: fields in the order of the specification, absent ones left out."""
        fields: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.annotations:
            fields["annotations"] = dict(sorted(self.annotations.items()))
        if self.platform is not None:
            fields["platform"] = {"architecture": self.platform.architecture, "os": self.platform.os}
        if self.artifact_type:
            fields["artifactType"] = self.artifact_type
        return fields


def parse_descriptor(value: object, where: str) -> Descriptor:
    """Raises ArtifactError for anything but a sha256 descriptor with an exact size."""
    if not isinstance(value, dict):
        refuse(where, describe(value), "a descriptor object")
    return Descriptor(
        media_type=text_field(value, "mediaType", where, default=""),
        digest=_digest(value.get("digest"), where),
        size=_size(value.get("size"), where),
        annotations=parse_annotations(value, where),
        artifact_type=text_field(value, "artifactType", where, default=""),
        platform=_platform(value, where),
    )


def parse_annotations(fields: Mapping[str, Any], where: str) -> Mapping[str, str]:
    """The `annotations` of a manifest or descriptor: strings, ANNOTATION_LIMIT bytes in all."""
    found = object_field(fields, "annotations", where)
    for name, value in found.items():
        if not isinstance(value, str):
            refuse(f"{where}.annotations[{name[:80]}]", describe(value), "a string")
    total = sum(len(name) + len(value) for name, value in found.items())
    if total > ANNOTATION_LIMIT:
        refuse(f"{where}.annotations", f"{total} characters", f"at most {ANNOTATION_LIMIT}")
    return found


def _digest(value: object, where: str) -> str:
    if not isinstance(value, str) or not is_digest(value):
        refuse(f"{where}.digest", describe(value), "sha256: and 64 lower-case hex characters")
    return value


def _size(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        refuse(f"{where}.size", describe(value), "a number of bytes")
    return value


def _platform(fields: Mapping[str, Any], where: str) -> Platform | None:
    if fields.get("platform") is None:
        return None
    found = object_field(fields, "platform", where)
    inside = f"{where}.platform"
    return Platform(text_field(found, "os", inside, default=""), text_field(found, "architecture", inside, default=""))
