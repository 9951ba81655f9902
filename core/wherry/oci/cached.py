"""A repository read through the cache: what was asked for by digest once is never asked for again."""

from __future__ import annotations

from wherry.oci.cache import BlobCache
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import is_digest
from wherry.oci.manifest import RawManifest, untyped
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
            return untyped(path.read_bytes(), f"{self.name}@{reference}")
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
