"""A repository of a registry (distribution-spec v1.1), as a `wherry.oci.store.Repository`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from io import BytesIO
from typing import BinaryIO, TypeVar

from wherry.errors import RegistryError
from wherry.oci.credentials import Credential
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import is_digest
from wherry.oci.manifest import Manifest, RawManifest, parse
from wherry.oci.reference import Reference
from wherry.oci.referrers import add_to_tag, from_tag
from wherry.oci.store import SMALL_BLOB, Progress, Silent
from wherry.oci.transport import blobs, manifests
from wherry.oci.transport.client import Client, located, settled
from wherry.oci.transport.endpoint import Endpoint
from wherry.oci.transport.faults import fault
from wherry.oci.transport.patience import Patience

T = TypeVar("T")


class RegistryRepository:
    """Holds connections: close it. For one thread."""

    def __init__(
        self, reference: Reference, endpoint: Endpoint, credential: Credential | None, patience: Patience
    ) -> None:
        self._reference = reference
        self._endpoint = endpoint
        self._credential = credential
        self._patience = patience
        self._small = patience.small
        self._ends = time.monotonic() + patience.whole

    @cached_property
    def _client(self) -> Client:
        # At the first verb: an artifact that is cached must not need a registry that can be reached.
        try:
            endpoint = settled(self._endpoint, self._patience)
        except RegistryError as error:
            raise located(error, str(self._reference)) from None
        return Client(endpoint, self._credential, self._patience, self.name)

    @property
    def _url(self) -> str:
        return f"{self._client.origin}/v2/{self._reference.repository}"

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    @property
    def name(self) -> str:
        """`host/repository`, the host as it was written."""
        return self._reference.name

    def manifest(self, reference: str) -> RawManifest:
        """GET of /manifests, hashed when asked for by digest."""
        where = self._where(reference)
        return self._within(lambda: manifests.fetch(self._client, self._url, reference), where, self._small)

    def find_manifest(self, reference: str) -> RawManifest | None:
        """None when the registry says 404."""
        try:
            return self.manifest(reference)
        except RegistryError as error:
            if error.kind == "notfound":
                return None
            raise

    def put_manifest(self, raw: RawManifest, tag: str = "") -> str:
        """PUT under the tag, else under the digest; then the referrers tag, where the registry has no list itself."""
        reference = tag or raw.digest
        where = self._where(reference)
        noted = self._within(lambda: manifests.store(self._client, self._url, reference, raw), where, self._small)
        found = parse(raw, where)
        if isinstance(found, Manifest) and found.subject and not noted:
            add_to_tag(self, raw, found, found.subject.digest)
        return raw.digest

    def blob(self, descriptor: Descriptor, limit: int = SMALL_BLOB) -> bytes:
        """A small blob in memory."""
        if descriptor.size > limit:
            where = self._where(descriptor.digest)
            raise fault("toobig", f"{where}: {descriptor.size} bytes, expected at most {limit}")
        into = BytesIO()
        self.copy_blob(descriptor, into, Silent())
        return into.getvalue()

    def copy_blob(self, descriptor: Descriptor, into: BinaryIO, progress: Progress) -> None:
        """GET of /blobs, redirects included."""
        where, url = self._where(descriptor.digest), f"{self._url}/blobs/{descriptor.digest}"
        seconds = self._patience.for_blob(descriptor.size)
        self._within(lambda: blobs.download(self._client, url, descriptor, into, progress), where, seconds)

    def has_blob(self, digest: str) -> bool:
        """HEAD of /blobs."""
        where, url = self._where(digest), f"{self._url}/blobs/{digest}"
        return self._within(lambda: blobs.exists(self._client, url), where, self._small)

    def put_blob(self, descriptor: Descriptor, source: BinaryIO, progress: Progress) -> None:
        """POST and one PUT."""
        where, seconds = self._where(descriptor.digest), self._patience.for_blob(descriptor.size)
        self._within(lambda: blobs.upload(self._client, self._url, descriptor, source, progress), where, seconds)

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """The referrers API, else the tag that stands for it."""
        where = f"{self._where(digest)} (referrers)"
        found = self._within(lambda: manifests.listed(self._client, self._url, digest), where, self._small)
        return from_tag(self, digest) if found is None else found

    def _within(self, action: Callable[[], T], where: str, seconds: float) -> T:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise fault("timeout", f"{where}: not done within {self._patience.whole:.0f} s")
        return self._client.verb(action, where, min(seconds, left))

    def _where(self, reference: str) -> str:
        return f"{self.name}{'@' if is_digest(reference) else ':'}{reference}"
