"""The Wasm of a resolved artifact, brought into the cache."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from wherry.errors import ArtifactError
from wherry.oci.cache import BlobCache
from wherry.oci.descriptor import Descriptor
from wherry.oci.resolve import Resolved
from wherry.oci.store import Progress, Repository
from wherry.oci.tar_layer import copy_file

PACKED_LIMIT = 128 << 20
"""Bytes of one compressed tar layer."""


def fetched(
    repository: Repository, resolved: Resolved, cache: BlobCache, limit: int, progress: Progress
) -> tuple[Path, str]:
    """Path and digest of the Wasm. Raises RegistryError, ArtifactError."""
    if not resolved.program:
        layer = resolved.layers[0]
        return _blob(repository, layer, cache, limit, progress), layer.digest
    for layer, diff_id in reversed(list(zip(resolved.layers, resolved.diff_ids, strict=True))):
        path = _blob(repository, layer, cache, PACKED_LIMIT, progress)
        with path.open("rb") as packed, tempfile.TemporaryFile(dir=path.parent) as found:
            if copy_file(packed, resolved.program, diff_id, found, limit):
                return _keep(found, cache)
    raise ArtifactError(
        f"{resolved.where}: no layer has the file /{resolved.program}",
        cure="build the image again, with the file that its entrypoint names",
    )


def _blob(repository: Repository, layer: Descriptor, cache: BlobCache, limit: int, progress: Progress) -> Path:
    if layer.size > limit:
        raise ArtifactError(
            f"{repository.name}: layer {layer.digest}: got {layer.size} bytes, expected at most {limit}"
        )
    return cache.fetch(layer, lambda file: repository.copy_blob(layer, file, progress))


def _keep(found: BinaryIO, cache: BlobCache) -> tuple[Path, str]:
    size = found.tell()
    found.seek(0)
    digest = f"sha256:{hashlib.file_digest(found, 'sha256').hexdigest()}"  # type: ignore[arg-type]
    found.seek(0)
    return cache.fetch(Descriptor("", digest, size), lambda file: shutil.copyfileobj(found, file)), digest
