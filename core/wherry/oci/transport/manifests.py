"""Manifests down and up, and what a registry lists as referring to one. One attempt each."""

from __future__ import annotations

from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import is_digest
from wherry.oci.document import refuse
from wherry.oci.manifest import INDEX, INDEX_TYPES, MANIFEST_TYPES, Index, RawManifest, parse
from wherry.oci.transport import faults
from wherry.oci.transport.client import Client

_ACCEPT = {"Accept": ", ".join(MANIFEST_TYPES + INDEX_TYPES)}
_NO_API = (301, 302, 303, 307, 308, 400, 404, 405, 406, 501)
"""What registries without the referrers API answer to it."""


def fetch(client: Client, repository: str, reference: str) -> RawManifest:
    """The bytes, checked against the digest that was asked for, or the one that the registry states."""
    response = client.send("GET", f"{repository}/manifests/{reference}", headers=_ACCEPT)
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    raw = RawManifest(media_type, client.read_all(response))
    expected = reference if is_digest(reference) else response.headers.get("Docker-Content-Digest", raw.digest)
    if expected != raw.digest:
        raise faults.fault("digest", f"{client.where}: got the manifest {raw.digest}, expected {expected[:80]}")
    return raw


def store(client: Client, repository: str, reference: str, raw: RawManifest) -> bool:
    """Whether the registry took note of the manifest's subject (distribution-spec §Pushing manifests with subject)."""
    headers = {"Content-Type": raw.media_type}
    url = f"{repository}/manifests/{reference}"
    response = client.send("PUT", url, accept=(200, 201, 202), headers=headers, data=raw.data)
    client.read_all(response)
    stored = response.headers.get("Docker-Content-Digest", raw.digest)
    if stored != raw.digest:
        raise faults.fault("digest", f"{client.where}: the registry stored {stored[:80]}, expected {raw.digest}")
    return "OCI-Subject" in response.headers


def listed(client: Client, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
    """The first page of the referrers API; None where the registry does not have it."""
    response = client.send("GET", f"{repository}/referrers/{digest}", accept=(200, *_NO_API), headers={"Accept": INDEX})
    data = client.read_all(response)
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    if response.status_code != 200 or media_type != INDEX:
        return None
    found = parse(RawManifest(media_type, data), client.where)
    if not isinstance(found, Index):
        refuse(client.where, "a manifest as the list of referrers", "an index")
    return found.manifests
