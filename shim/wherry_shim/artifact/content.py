"""containerd's content store, by digest: files of which nothing is believed but what their bytes hash to."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wherry.engine.seal import Sealer, fingerprint, machine_key
from wherry.errors import ArtifactError
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import digest_of, hex_of, is_digest
from wherry.oci.manifest import MANIFEST_LIMIT, RawManifest, untyped
from wherry.oci.store import SMALL_BLOB
from wherry_shim.artifact.plain_file import plain_file

_AGAIN = "remove the image from the node (`crictl rmi`) and let the Pod pull it again"
_WORTH_A_SEAL = 1 << 20
"""Bytes above which a blob that was hashed once is remembered: less is hashed in a millisecond."""


@dataclass(frozen=True, slots=True)
class ContentStore:
    """A `wherry.oci.store.Reader` of `<root>/blobs/sha256/<hex>`. name: of the image, for errors.

    Raises ArtifactError for what is not there or not what its name says.
    """

    root: Path
    name: str

    def has(self, digest: str) -> bool:
        """Whether there is a file of that name."""
        return self._path(digest).is_file()

    def manifest(self, reference: str) -> RawManifest:
        """reference: a digest; tags are known to containerd's image store alone."""
        if not is_digest(reference):
            raise ArtifactError(f"{self.name}: got {reference[:80]!r}, expected the digest of a manifest")
        return untyped(self._read(reference, MANIFEST_LIMIT), f"{self.name}@{reference}")

    def blob(self, descriptor: Descriptor, limit: int = SMALL_BLOB) -> bytes:
        """A small blob in memory."""
        data = self._read(descriptor.digest, limit)
        if len(data) != descriptor.size:
            raise self._wrong(descriptor.digest, f"{len(data)} bytes", f"{descriptor.size}")
        return data

    def file(self, descriptor: Descriptor, limit: int, seals: Path) -> Path:
        """The file of a blob of at most limit bytes, hashed. seals: a folder that remembers what was hashed here."""
        with self._open(descriptor.digest, limit) as file:
            size = os.fstat(file.fileno()).st_size
        if size != descriptor.size:
            raise self._wrong(descriptor.digest, f"{size} bytes", f"{descriptor.size}")
        path = self._path(descriptor.digest)
        try:
            right = _is_right(path, descriptor, seals)
        except OSError as error:
            raise self._wrong(descriptor.digest, f"a file that cannot be read ({error.strerror})", "one") from None
        if not right:
            raise self._wrong(descriptor.digest, "other bytes", "what its digest says")
        return path

    def _read(self, digest: str, limit: int) -> bytes:
        with self._open(digest, limit) as file:
            data = file.read(limit + 1)
        if (found := digest_of(data)) != digest:
            raise self._wrong(digest, f"bytes with the digest {found}", "what its digest says")
        return data

    def _open(self, digest: str, limit: int) -> BinaryIO:
        """Raises for a link, and for what is too large, before it is read."""
        try:
            descriptor = os.open(self._path(digest), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            return plain_file(descriptor, limit)
        except OSError as error:
            raise self._wrong(digest, error.strerror or str(error), "the blob") from None

    def _path(self, digest: str) -> Path:
        return self.root / "blobs" / "sha256" / hex_of(digest)

    def _wrong(self, digest: str, found: str, expected: str) -> ArtifactError:
        return ArtifactError(f"{self.name}: {digest} in {self.root}: got {found}, expected {expected}", cure=_AGAIN)


def _is_right(path: Path, descriptor: Descriptor, seals: Path) -> bool:
    """Whether the file's bytes are the descriptor's. Raises OSError when they cannot be read."""
    sealer = _sealer(seals) if descriptor.size >= _WORTH_A_SEAL else None
    if sealer and sealer.trusts(path, descriptor.digest):
        return True
    content, identity = fingerprint(path)
    if content != hex_of(descriptor.digest):
        return False
    if sealer:
        with suppress(OSError):
            sealer.vouch(path, descriptor.digest, content, identity)
    return True


def _sealer(seals: Path) -> Sealer | None:
    """None when nothing can be written there: a full disk costs each start some time, and nothing else."""
    try:
        seals.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Sealer(machine_key(seals / "key"), seals)
    except OSError:
        return None
