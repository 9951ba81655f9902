"""A Wasm file into a registry or a layout folder, as the CNCF layout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from wherry.errors import InputError, InvalidModule, InvalidReference
from wherry.oci import source
from wherry.oci.access import Access, opened
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import is_digest
from wherry.oci.pack import Packed, created_at, pack
from wherry.oci.reference import DEFAULT_TAG, Reference
from wherry.oci.source import FileSource, FolderSource
from wherry.oci.store import Progress, Repository, Silent
from wherry.wasm.inspect import inspect
from wherry.wasm.module import Inspection


@dataclass(frozen=True, slots=True)
class Pushed:
    """digest: of the manifest. wasm: of the layer. uploaded: bytes that had to be sent, 0 when all was there."""

    reference: str
    digest: str
    wasm: str
    size: int
    inspection: Inspection
    uploaded: int


def push(
    path: Path,
    text: str,
    access: Access,
    annotations: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Pushed:
    """text: a registry reference by tag, or `oci:folder:tag`. `created` comes from SOURCE_DATE_EPOCH.

    Raises InputError (the file), InvalidModule, InvalidReference, RegistryError, ArtifactError.
    """
    target = _target(text)
    data, inspection, packed = prepared(path, access.wasm_limit, annotations)
    with opened(target, access, create=True) as repository:
        uploaded = _store(repository, packed, data, _tag(target), progress or Silent())
    return Pushed(str(target), packed.manifest.digest, packed.layer.digest, len(data), inspection, uploaded)


def prepared(path: Path, limit: int, annotations: Mapping[str, str] | None = None) -> tuple[bytes, Inspection, Packed]:
    """What a push would write, wherever it goes. Raises InputError, InvalidModule."""
    data = _read(path, limit)
    inspection = _inspected(path, data)
    created = created_at(os.environ.get("SOURCE_DATE_EPOCH"))
    return data, inspection, pack(data, inspection, path.name, annotations or {}, created)


def _store(repository: Repository, packed: Packed, data: bytes, tag: str, progress: Progress) -> int:
    there = repository.find_manifest(tag)
    if there is not None and there.digest == packed.manifest.digest:
        return 0
    blobs = [(packed.layer, data), (packed.config_descriptor, packed.config)]
    sent = sum(_put(repository, descriptor, content, progress) for descriptor, content in blobs)
    repository.put_manifest(packed.manifest, tag)
    return sent + len(packed.manifest.data)


def _put(repository: Repository, descriptor: Descriptor, data: bytes, progress: Progress) -> int:
    if repository.has_blob(descriptor.digest):
        return 0
    repository.put_blob(descriptor, BytesIO(data), progress)
    return descriptor.size


def _target(text: str) -> Reference | FolderSource:
    found = source.parse(text)
    cure = "push to host/repository:tag or oci:folder:tag"
    if isinstance(found, FileSource):
        raise InvalidReference(f"{found}: a file, expected where to push to", cure=cure)
    if is_digest(found.target):
        raise InvalidReference(f"{found}: a digest, expected a tag: the digest follows from the bytes", cure=cure)
    return found


def _tag(target: Reference | FolderSource) -> str:
    return target.target or DEFAULT_TAG


def _inspected(path: Path, data: bytes) -> Inspection:
    try:
        return inspect(data)
    except InvalidModule as error:
        raise InvalidModule(f"{path}: {error.message}", cure=error.cure) from None


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.stat().st_size > limit:
            raise InputError(f"{path}: got {path.stat().st_size} bytes, expected at most {limit}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", cure="name a .wasm file") from None
