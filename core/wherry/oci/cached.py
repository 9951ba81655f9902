"""A repository read through the cache: what was asked for by digest once is never asked for again."""

from __future__ import annotations

from wherry.oci.cache import BlobCache
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import is_digest
from wherry.oci.document import parse_object, text_field
from wherry.oci.manifest import INDEX, MANIFEST, RawManifest
from wherry.oci.store import SMALL_BLOB, Reader


class CachedReader:
    """A tag always asks the store, because it may have moved; a digest cannot."""

    def __init__(self, store: Reader, cache: BlobCache) -> None:
        self._store = store
        self._cache = cache

    @property
    def name(self) -> str:
        """The store's."""
        return self._store.name

    def manifest(self, reference: str) -> RawManifest:
        """Kept under its digest."""
        if is_digest(reference) and (path := self._cache.find(reference)):
            data = path.read_bytes()
            return RawManifest(_media_type(data, f"{self.name}@{reference}"), data)
        raw = self._store.manifest(reference)
        self._cache.put(raw.data, raw.digest)
        return raw

    def blob(self, descriptor: Descriptor, limit: int = SMALL_BLOB) -> bytes:
        """Kept under its digest."""
        if descriptor.size <= limit and (path := self._cache.find(descriptor.digest)):
            return path.read_bytes()
        data = self._store.blob(descriptor, limit)
        self._cache.put(data, descriptor.digest)
        return data


def _media_type(data: bytes, where: str) -> str:
    """What the registry said is not kept; a document of before 2021 without its own type is told by its shape."""
    fields = parse_object(data, where)
    return text_field(fields, "mediaType", where, default=INDEX if "manifests" in fields else MANIFEST)
