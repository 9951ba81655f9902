"""The sigstore bundle, v0.3: a DSSE envelope around an in-toto statement, stored as a referrer of what it signs.

Implements the DSSE protocol (pre-authentication encoding), in-toto Statement v1, and cosign's predicate for signatures.
An attestation has the same shape with another predicate: it says something else and is no signature of the artifact.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from wherry.oci.digest import hex_of
from wherry.oci.document import describe, list_field, object_field, parse_object, refuse
from wherry.oci.signature.claim import SIGNATURES_LIMIT, Claim, decode

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT_TYPE = "application/vnd.in-toto+json"
STATEMENTS = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
PREDICATE = "https://sigstore.dev/cosign/sign/v1"
SUBJECTS_LIMIT = 64

ANNOTATIONS = {
    "dev.sigstore.bundle.content": "dsse-envelope",
    "dev.sigstore.bundle.predicateType": PREDICATE,
}


def read(blob: bytes, digest: str, where: str) -> Claim:
    """The claim of one bundle. Raises ArtifactError when it is malformed or is about another digest."""
    fields = parse_object(blob, where)
    _expect(fields, "mediaType", (MEDIA_TYPE,), where)
    envelope = object_field(fields, "dsseEnvelope", where)
    _expect(envelope, "payloadType", (STATEMENT_TYPE,), where)
    payload = decode(envelope.get("payload"), f"{where}.payload")
    _check_statement(payload, digest, f"{where}.payload")
    signatures = list_field(envelope, "signatures", where, SIGNATURES_LIMIT)
    return Claim(
        form="bundle",
        signatures=tuple(_signature(entry, f"{where}.signatures[{i}]") for i, entry in enumerate(signatures)),
        signed=encode(STATEMENT_TYPE, payload),
        hint=_hint(fields, where),
    )


def encode(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed instead of the payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement_for(digest: str) -> bytes:
    """The statement to sign."""
    subject = {"digest": {"sha256": hex_of(digest)}}
    return json.dumps(
        {"_type": STATEMENTS[0], "subject": [subject], "predicateType": PREDICATE, "predicate": {}},
        separators=(",", ":"),
    ).encode()


def bundle_for(statement: bytes, signature: bytes, fingerprint: str) -> bytes:
    """The bundle around a signed statement; fingerprint is the public key's."""
    envelope = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": STATEMENT_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }
    material = {"publicKey": {"hint": fingerprint}}
    bundle = {"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}
    return json.dumps(bundle, separators=(",", ":")).encode()


def _check_statement(payload: bytes, digest: str, where: str) -> None:
    statement = parse_object(payload, where)
    _expect(statement, "_type", STATEMENTS, where)
    _expect(statement, "predicateType", (PREDICATE,), where)
    subjects = list_field(statement, "subject", where, SUBJECTS_LIMIT)
    if not any(_names(subject, digest) for subject in subjects):
        refuse(f"{where}.subject", "other digests", digest)


def _names(subject: object, digest: str) -> bool:
    digests = subject.get("digest") if isinstance(subject, dict) else None
    return isinstance(digests, dict) and digests.get("sha256") == hex_of(digest)


def _signature(entry: object, where: str) -> bytes:
    return decode(entry.get("sig") if isinstance(entry, dict) else entry, where)


def _hint(fields: Mapping[str, Any], where: str) -> str:
    material = object_field(fields, "verificationMaterial", where)
    hint = object_field(material, "publicKey", where).get("hint")
    return hint if isinstance(hint, str) else ""


def _expect(fields: Mapping[str, Any], name: str, accepted: tuple[str, ...], where: str) -> None:
    if fields.get(name) not in accepted:
        refuse(f"{where}.{name}", describe(fields.get(name)), " or ".join(accepted))
