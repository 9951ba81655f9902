"""An OCI image layout folder (image-spec image-layout.md), as a `wherry.oci.store.Repository`.

Blobs are written before what names them; `index.json` is replaced whole, under a lock, so that readers and other
writers always find a folder that is right.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from wherry.errors import ArtifactError, InputError, RegistryError
from wherry.oci.descriptor import REF_NAME, Descriptor
from wherry.oci.digest import hex_of, is_digest
from wherry.oci.document import parse_object
from wherry.oci.manifest import INDEX, MANIFEST_LIMIT, Index, Manifest, RawManifest, parse
from wherry.oci.referrers import from_tag
from wherry.oci.store import SMALL_BLOB, Progress, Silent

_VERSION = {"imageLayoutVersion": "1.0.0"}
_PIECE = 1 << 20


class FolderRepository:
    """A layout folder. create: make an empty one where there is none. Raises ArtifactError for another folder."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self._path = path
        self._blobs = path / "blobs" / "sha256"
        if create:
            with _writable(path):
                self._create()
        self._check()

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def name(self) -> str:
        """`oci:<folder>`."""
        return f"oci:{self._path}"

    def only_target(self) -> str:
        """The digest of the one manifest that the folder is about. Raises ArtifactError when there are more or none."""
        entries = [entry for entry in self._index().manifests if not entry.artifact_type]
        digests = {entry.digest for entry in entries if "sha256-" not in entry.annotations.get(REF_NAME, "")}
        if len(digests) == 1:
            return digests.pop()
        names = sorted({entry.annotations[REF_NAME] for entry in entries if REF_NAME in entry.annotations})
        raise ArtifactError(
            f"{self.name}: got {len(digests)} manifests, expected one or a tag",
            cure=f"name one: {', '.join(names)[:200]}" if names else "push something into it",
        )

    def manifest(self, reference: str) -> RawManifest:
        """By digest, or by the annotation `org.opencontainers.image.ref.name`."""
        if found := self.find_manifest(reference):
            return found
        raise RegistryError(f"{self.name}: no {reference}", kind="notfound", cure="check the tag, or push it first")

    def find_manifest(self, reference: str) -> RawManifest | None:
        """None when neither index.json nor the blobs know it."""
        entry = self._entry(reference)
        if entry is None:
            return None
        data = self.blob(entry, MANIFEST_LIMIT)
        return RawManifest(entry.media_type or _media_type(data, self.name), data)

    def put_manifest(self, raw: RawManifest, tag: str = "") -> str:
        """The blob first, then its line in index.json; a tag moves from what it named before."""
        self.put_blob(raw.descriptor, BytesIO(raw.data), Silent())
        found = parse(raw, self.name)
        entry = raw.descriptor
        if isinstance(found, Manifest) and found.subject:
            entry = replace(entry, artifact_type=found.artifact_type or found.config.media_type)
        if tag:
            entry = replace(entry, annotations={REF_NAME: tag})
        self._list(entry)
        return raw.digest

    def blob(self, descriptor: Descriptor, limit: int = SMALL_BLOB) -> bytes:
        """A small blob in memory."""
        if descriptor.size > limit:
            raise RegistryError(f"{self.name}: {descriptor.digest}: more than {limit} bytes", kind="toobig")
        into = BytesIO()
        self.copy_blob(descriptor, into, Silent())
        return into.getvalue()

    def copy_blob(self, descriptor: Descriptor, into: BinaryIO, progress: Progress) -> None:
        """Hashed like any stranger's bytes."""
        progress.total(descriptor.digest, descriptor.size)
        into.seek(0)
        into.truncate()
        hashed = hashlib.sha256()
        with self._open(descriptor.digest) as file:
            while piece := file.read(_PIECE):
                hashed.update(piece)
                into.write(piece)
                progress.advance(len(piece))
        if into.tell() != descriptor.size or hashed.hexdigest() != hex_of(descriptor.digest):
            message = f"{self.name}: {descriptor.digest}: the file holds other bytes ({hashed.hexdigest()})"
            raise RegistryError(message, kind="digest", cure="copy the artifact into the folder again")

    def has_blob(self, digest: str) -> bool:
        """Whether its file is there."""
        return self._file(digest).is_file()

    def put_blob(self, descriptor: Descriptor, source: BinaryIO, progress: Progress) -> None:
        """Written beside its place and renamed into it."""
        progress.total(descriptor.digest, descriptor.size)
        if self.has_blob(descriptor.digest):
            return
        source.seek(0)
        with _writable(self._path), _replacing(self._file(descriptor.digest)) as file:
            while piece := source.read(_PIECE):
                file.write(piece)
                progress.advance(len(piece))

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """Manifests of index.json with that subject, and what a copied referrers tag lists."""
        own = [entry for entry in self._index().manifests if self._subject(entry) == digest]
        return tuple({entry.digest: entry for entry in (*own, *from_tag(self, digest))}.values())

    def _subject(self, entry: Descriptor) -> str:
        if entry.media_type == INDEX or entry.size > MANIFEST_LIMIT or not self.has_blob(entry.digest):
            return ""
        found = parse(RawManifest(entry.media_type, self.blob(entry, MANIFEST_LIMIT)), self.name)
        return found.subject.digest if isinstance(found, Manifest) and found.subject else ""

    def _entry(self, reference: str) -> Descriptor | None:
        entries = self._index().manifests
        if not is_digest(reference):
            return next((entry for entry in entries if entry.annotations.get(REF_NAME) == reference), None)
        found = next((entry for entry in entries if entry.digest == reference), None)
        if found or not self.has_blob(reference):
            return found
        return Descriptor("", reference, self._file(reference).stat().st_size)

    def _file(self, digest: str) -> Path:
        return self._blobs / hex_of(digest)

    def _open(self, digest: str) -> BinaryIO:
        try:
            return self._file(digest).open("rb")
        except FileNotFoundError:
            raise RegistryError(f"{self.name}: no blob {digest}", kind="notfound") from None

    def _create(self) -> None:
        self._blobs.mkdir(parents=True, exist_ok=True)
        if not (self._path / "index.json").exists():
            with self._locked():
                if not (self._path / "index.json").exists():
                    self._write_index(Index(INDEX, ()))
        if not (self._path / "oci-layout").exists():
            with _replacing(self._path / "oci-layout") as file:
                file.write(json.dumps(_VERSION).encode())

    def _check(self) -> None:
        data = self._read("oci-layout")
        if parse_object(data, f"{self.name}/oci-layout") != _VERSION:
            raise ArtifactError(f"{self.name}/oci-layout: got {data[:80]!r}, expected {_VERSION}")

    def _read(self, name: str) -> bytes:
        try:
            return (self._path / name).read_bytes()
        except OSError as error:
            cure = "name a folder that `wherry push` or another OCI tool made"
            raise ArtifactError(f"{self.name}: not an OCI layout ({error.strerror}: {name})", cure=cure) from None

    def _index(self) -> Index:
        found = parse(RawManifest(INDEX, self._read("index.json")), f"{self.name}/index.json")
        if not isinstance(found, Index):
            raise ArtifactError(f"{self.name}/index.json: got a manifest, expected an index")
        return found

    def _list(self, entry: Descriptor) -> None:
        tag = entry.annotations.get(REF_NAME)
        with _writable(self._path), self._locked():
            index = self._index()
            kept = [old for old in index.manifests if not _replaces(entry, tag, old)]
            self._write_index(replace(index, manifests=(*kept, entry)))

    def _write_index(self, index: Index) -> None:
        with _replacing(self._path / "index.json") as file:
            file.write(index.to_raw().data)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._path / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _replaces(entry: Descriptor, tag: str | None, old: Descriptor) -> bool:
    """A tag has one line; so has a digest without a tag, which a tagged line of the same digest stands for too."""
    old_tag = old.annotations.get(REF_NAME)
    return old_tag == tag if tag else old.digest == entry.digest and old_tag is None


def _media_type(data: bytes, where: str) -> str:
    found = parse_object(data, where).get("mediaType")
    return found if isinstance(found, str) else ""


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"oci:{path}: {error.strerror}", cure="name a folder that can be written") from None


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its place whole, or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".writing-", delete=False) as file:
        try:
            yield file  # type: ignore[misc]
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            os.rename(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
