"""One repository, seen as few verbs: a registry, an OCI layout folder and the tests speak them alike.

Whatever a store returns has been checked against the digest that was asked for; what it cannot give raises.
Verbs block. A store belongs to one thread.
"""

from __future__ import annotations

from typing import BinaryIO, Protocol

from wherry.oci.descriptor import Descriptor
from wherry.oci.manifest import RawManifest

SMALL_BLOB = 1 << 20
"""Bytes of a blob that is read into memory: configs, signatures, attestations."""


class Progress(Protocol):
    """Told how a transfer goes. A retry calls total again: what was counted before is void."""

    def total(self, label: str, size: int) -> None:
        """A transfer of size bytes begins."""

    def advance(self, size: int) -> None:
        """size more bytes have moved."""


class Silent:
    """Progress that nobody looks at."""

    def total(self, label: str, size: int) -> None:
        """Say nothing."""

    def advance(self, size: int) -> None:
        """Say nothing."""


class Reader(Protocol):
    """What resolving an artifact needs of a repository."""

    @property
    def name(self) -> str:
        """`host/repository` as a person writes it, which is what a signature's docker-reference holds."""

    def manifest(self, reference: str) -> RawManifest:
        """The bytes of a manifest or index, at most MANIFEST_LIMIT."""

    def blob(self, descriptor: Descriptor, limit: int = SMALL_BLOB) -> bytes:
        """A small blob in memory; RegistryError (`toobig`) before any transfer when it is larger than limit."""


class Repository(Reader, Protocol):
    """References are tags or digests (`sha256:…`) within this repository.

    Raises RegistryError: kind `notfound` when it is not there, `digest` when stored bytes are not what their digest
    says, and the other kinds of `wherry.oci.transport.faults`; ArtifactError for a document that cannot be read.
    """

    def find_manifest(self, reference: str) -> RawManifest | None:
        """As manifest; None when it is not there."""

    def put_manifest(self, raw: RawManifest, tag: str = "") -> str:
        """Store a manifest, under a tag if one is given; returns its digest.

        When it has a `subject`, `referrers(subject.digest)` lists it afterwards.
        """

    def copy_blob(self, descriptor: Descriptor, into: BinaryIO, progress: Progress) -> None:
        """A blob of any size, written from the start of `into`, which holds nothing of use unless this returns."""

    def has_blob(self, digest: str) -> bool:
        """Whether the blob is there, without its bytes."""

    def put_blob(self, descriptor: Descriptor, source: BinaryIO, progress: Progress) -> None:
        """Store the descriptor's bytes, read from the start of `source` (seekable)."""

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """Manifests that name `digest` as their subject; empty when there are none (distribution-spec §Referrers).

        The entries are claims of the store: read each manifest and check its own subject.
        """
