"""The key of the checksums of what apps read: a Secret in the operator's namespace.

Made once and never again: with another key every checksum differs, and every app that reads a Secret rolls out.
"""

from __future__ import annotations

import base64
import secrets
from contextlib import suppress

from wherry.cluster.failures import AlreadyExists
from wherry.cluster.resources import SECRET
from wherry.errors import InputError
from wherry_operator.cluster.sources import content
from wherry_operator.cluster.writing import Cluster
from wherry_operator.manifest import Identity

NAME = "wherry-operator-inputs-key"
ENTRY = "key"
SIZE = 32
"""Bytes of the key."""


async def inputs_key(cluster: Cluster, namespace: str) -> bytes:
    """Raises a ClusterError; InputError when somebody made the Secret unusable."""
    identity = Identity(SECRET.api_version, SECRET.kind, namespace, NAME)
    if (found := await cluster.get(identity)) is None:
        await _make(cluster, identity)
        found = await cluster.get(identity)
    key = content(found).get(ENTRY, b"") if found else b""
    if len(key) != SIZE:
        cure = "delete the Secret; the operator makes another, and apps that read ConfigMaps or Secrets roll out once"
        raise InputError(f"Secret {namespace}/{NAME}: got {len(key)} bytes in {ENTRY}, expected {SIZE}", cure=cure)
    return key


async def _make(cluster: Cluster, identity: Identity) -> None:
    """Another replica may be first."""
    manifest = {
        "apiVersion": identity.api_version,
        "kind": identity.kind,
        "metadata": {"namespace": identity.namespace, "name": identity.name},
        "type": "Opaque",
        "immutable": True,
        "data": {ENTRY: base64.b64encode(secrets.token_bytes(SIZE)).decode()},
    }
    with suppress(AlreadyExists):
        await cluster.create(manifest)
