"""Writing signatures that cosign accepts: a layer under the `.sig` tag, or a bundle as a referrer.

Signing again with the same key changes nothing. Adding to the `.sig` tag reads and writes it, which no registry does in
one step: of two who sign at once, one may have to sign again.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO

from wherry.errors import ArtifactError
from wherry.oci.descriptor import Descriptor
from wherry.oci.manifest import MANIFEST, Manifest, RawManifest, parse_manifest
from wherry.oci.signature import bundle, simplesigning
from wherry.oci.signature.claim import Form
from wherry.oci.signature.finding import claims
from wherry.oci.signature.keys import PrivateKey
from wherry.oci.store import Repository, Silent

EMPTY = "application/vnd.oci.empty.v1+json"


def sign(
    repository: Repository, digest: str, key: PrivateKey, forms: Sequence[Form] = ("simplesigning", "bundle")
) -> tuple[Form, ...]:
    """Sign the manifest `digest`, which must be in the repository, in these forms; those that were written.

    A form in which this key has signed before is left as it is. Raises RegistryError.
    """
    target = repository.manifest(digest)
    signed = _signed(repository, digest, key)
    missing = tuple(form for form in forms if form not in signed)
    for form in missing:
        if form == "bundle":
            _put_bundle(repository, target, key)
        else:
            _put_simplesigning(repository, digest, key)
    return missing


def _signed(repository: Repository, digest: str, key: PrivateKey) -> set[Form]:
    found = (claim for claim in claims(repository, digest) if not isinstance(claim, ArtifactError))
    return {claim.form for claim in found if any(key.public.verifies(each, claim.signed) for each in claim.signatures)}


def _put_bundle(repository: Repository, target: RawManifest, key: PrivateKey) -> None:
    statement = bundle.statement_for(target.digest)
    signature = key.signs(bundle.encode(bundle.STATEMENT_TYPE, statement))
    blob = bundle.bundle_for(statement, signature, key.public.fingerprint)
    manifest = Manifest(
        media_type=MANIFEST,
        artifact_type=bundle.MEDIA_TYPE,
        config=_put_blob(repository, b"{}", EMPTY),
        layers=(_put_blob(repository, blob, bundle.MEDIA_TYPE),),
        subject=target.descriptor,
        annotations=bundle.ANNOTATIONS,
    )
    repository.put_manifest(manifest.to_raw())


def _put_simplesigning(repository: Repository, digest: str, key: PrivateKey) -> None:
    payload = simplesigning.payload_for(digest, repository.name)
    signature = base64.b64encode(key.signs(payload)).decode()
    blob = _put_blob(repository, payload, simplesigning.LAYER)
    ours = Descriptor(blob.media_type, blob.digest, blob.size, {simplesigning.SIGNATURE: signature})
    tag = simplesigning.tag_of(digest)
    layers = (*_layers(repository, tag), ours)
    config = _put_blob(repository, simplesigning.config_for(layers), simplesigning.CONFIG)
    repository.put_manifest(Manifest(MANIFEST, config, layers).to_raw(), tag)


def _layers(repository: Repository, tag: str) -> tuple[Descriptor, ...]:
    raw = repository.find_manifest(tag)
    return () if raw is None else parse_manifest(raw, f"{repository.name}:{tag}").layers


def _put_blob(repository: Repository, data: bytes, media_type: str) -> Descriptor:
    descriptor = Descriptor.of(data, media_type)
    if not repository.has_blob(descriptor.digest):
        repository.put_blob(descriptor, BytesIO(data), Silent())
    return descriptor
