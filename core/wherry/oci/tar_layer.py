"""One file out of an image's layers, streamed: nothing is unpacked, nothing but that file is kept."""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import BinaryIO

from wherry.errors import ArtifactError
from wherry.oci.image_config import normal
from wherry.oci.tar import BadTar, TarReader

UNPACKED_LIMIT = 96 << 20
ENTRY_LIMIT = 20_000
_PIECE = 1 << 16
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_WHITEOUT = ".wh."


class _Unpacked(io.RawIOBase):
    """A layer's tar stream: counted against UNPACKED_LIMIT and hashed for its diff_id, whatever is read of it."""

    def __init__(self, layer: BinaryIO) -> None:
        self._layer = layer
        head = layer.read(4)
        layer.seek(0)
        if head == _ZSTD:
            raise BadTar("a layer compressed with zstd, which is not read", cure="push it with gzip")
        self._inflate = zlib.decompressobj(31) if head.startswith(_GZIP) else None
        self._hash = hashlib.sha256()
        self._count = 0
        self._rest = b""

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = self._layer.read(_PIECE) if self._inflate is None else self._inflated(self._inflate)
            self._count += len(self._rest)
            self._hash.update(self._rest)
        if self._count > UNPACKED_LIMIT:
            raise BadTar(f"a layer of more than {UNPACKED_LIMIT} bytes when unpacked")
        piece, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _inflated(self, inflate: zlib._Decompress) -> bytes:
        while not inflate.eof:
            packed = inflate.unconsumed_tail or self._layer.read(_PIECE)
            if not packed:
                raise BadTar("a gzip layer that ends early")
            if piece := inflate.decompress(packed, _PIECE):
                return piece
        if inflate.unused_data.strip(b"\0") or self._layer.read(_PIECE).strip(b"\0"):
            raise BadTar("a gzip layer with more behind its end")
        return b""


def copy_file(layer: BinaryIO, path: str, diff_id: str, into: BinaryIO, limit: int) -> bool:
    """Write the file at path (image_config.normal) into `into`; False when the layer does not have it.

    The whole layer is read and its digest compared with diff_id before this returns. The last entry of the name
    counts, as when unpacking. Raises ArtifactError: damaged, too large, a link or a whiteout where the file should be.
    """
    unpacked = _Unpacked(layer)
    with io.BufferedReader(unpacked, _PIECE) as stream:
        try:
            found = _search(TarReader(stream), path, into, limit)
            while stream.read(_PIECE):
                pass
        except zlib.error as error:
            raise BadTar(f"a damaged gzip layer ({error})") from None
    if unpacked.digest != diff_id:
        raise ArtifactError(f"the layer unpacks to {unpacked.digest}, expected {diff_id} (rootfs.diff_ids)")
    return found


def _search(tar: TarReader, path: str, into: BinaryIO, limit: int) -> bool:
    found, deleted, whiteouts = False, False, _whiteouts(path)
    for count, entry in enumerate(tar):
        if count >= ENTRY_LIMIT:
            raise BadTar(f"a layer of more than {ENTRY_LIMIT} entries")
        name = normal(entry.name)
        deleted = deleted or name in whiteouts
        if name != path:
            continue
        if not entry.regular:
            raise ArtifactError(f"/{path} is a link or a folder, expected a file")
        if entry.size > limit:
            raise ArtifactError(f"/{path} has {entry.size} bytes, expected at most {limit}")
        into.seek(0)
        into.truncate()
        for piece in tar.body():
            into.write(piece)
        found = True
    if deleted and not found:
        raise ArtifactError(f"/{path} is deleted by a later layer of the image")
    return found


def _whiteouts(path: str) -> frozenset[str]:
    """Entries that hide path in the layers below (image-spec layer.md §Whiteouts)."""
    parts = path.split("/")
    names = {"/".join([*parts[:i], _WHITEOUT + parts[i]]) for i in range(len(parts))}
    return frozenset(names | {"/".join([*parts[:i], ".wh..wh..opq"]) for i in range(len(parts))})
