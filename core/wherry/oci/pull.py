"""An artifact on this machine: its Wasm in the cache, checked, and what is known of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wherry.errors import ArtifactError, InputError, InvalidModule, InvalidReference
from wherry.oci import source
from wherry.oci.access import Access, opened
from wherry.oci.cache import BlobCache
from wherry.oci.cached import CachedReader
from wherry.oci.fetch import fetched
from wherry.oci.resolve import Resolved, resolve, target_of
from wherry.oci.source import FileSource, Source
from wherry.oci.store import Progress, Repository, Silent
from wherry.wasm.inspect import kind_of

SNIFF = 4096

Gate = Callable[[Repository, Resolved], None]
"""Asked after a manifest is resolved and before its Wasm is fetched; raises to refuse (a signature policy)."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """path: the Wasm binary, read-only. wasm: its digest. size: its bytes.

    digest: of the manifest that runs, "" for a plain file. layout: as `wherry.oci.layouts` names it, or `file`.
    program: the file inside tar layers, "" else.
    """

    reference: str
    path: Path
    wasm: str
    size: int
    layout: str
    digest: str = ""
    index_digest: str = ""
    title: str = ""
    program: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)


def _anyone(repository: Repository, resolved: Resolved) -> None:
    """No policy: whoever pushed it."""


def pull(text: str, access: Access, progress: Progress | None = None, gate: Gate = _anyone) -> Artifact:
    """text: as `wherry.oci.source` reads it. What is cached is not fetched again, and a cached digest asks no registry.

    Raises InvalidReference, InputError (a file), RegistryError, ArtifactError and what gate raises. A plain file never
    comes to the gate: it has no manifest that anyone could sign.
    """
    found = source.parse(text)
    if isinstance(found, FileSource):
        return _from_file(found, access.wasm_limit)
    cache = BlobCache(access.cache)
    with opened(found, access) as repository:
        resolved = resolve(CachedReader(repository, cache), target_of(repository, found.target))
        gate(repository, resolved)
        path, wasm = fetched(repository, resolved, cache, access.wasm_limit, progress or Silent())
    _check_is_wasm(path, str(found))
    return _artifact(found, resolved, path, wasm)


def describe(text: str, access: Access) -> Resolved:
    """What the manifest and its config say, without the Wasm: claims of the publisher, and sizes and digests that hold.

    Raises as pull; InvalidReference for a plain file, which says nothing but its bytes.
    """
    found = source.parse(text)
    if isinstance(found, FileSource):
        raise InvalidReference(f"{found}: a plain file has no manifest", cure="name an artifact that was pushed")
    with opened(found, access) as repository:
        return resolve(CachedReader(repository, BlobCache(access.cache)), target_of(repository, found.target))


def _artifact(found: Source, resolved: Resolved, path: Path, wasm: str) -> Artifact:
    return Artifact(
        reference=str(found),
        path=path,
        wasm=wasm,
        size=path.stat().st_size,
        layout=resolved.layout,
        digest=resolved.digest,
        index_digest=resolved.index_digest,
        title=resolved.title,
        program=resolved.program,
        annotations=resolved.annotations,
    )


def _from_file(found: FileSource, limit: int) -> Artifact:
    try:
        with found.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size > limit:
                raise InputError(f"{found}: got {size} bytes, expected at most {limit}")
            file.seek(0)
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            file.seek(0)
            kind_of(file.read(SNIFF))
    except InvalidModule as error:
        raise InvalidModule(f"{found}: {error.message}", cure=error.cure) from None
    except OSError as error:
        cure = "name a .wasm file, or a reference as host/repository:tag"
        raise InputError(f"{found}: {error.strerror}", cure=cure) from None
    return Artifact(str(found), found.path, digest, size, "file", title=found.path.name)


def _check_is_wasm(path: Path, where: str) -> None:
    """The bytes decide, whatever the media type said. Raises ArtifactError."""
    with path.open("rb") as file:
        head = file.read(SNIFF)
    try:
        kind_of(head)
    except InvalidModule as error:
        raise ArtifactError(f"{where}: {error.message}", cure=error.cure or "push a .wasm file") from None
