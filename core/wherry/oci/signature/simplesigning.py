"""Simple signing as cosign keeps it: a tag beside the artifact whose layers are signed payloads.

The manifest under `sha256-<hex>.sig` has one layer for each signature; the layer's bytes are what is signed, the
signature stands in the layer's annotation.
"""

from __future__ import annotations

import json

from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import hex_of
from wherry.oci.document import describe, object_field, parse_object, refuse, text_field
from wherry.oci.signature.claim import Claim, decode

LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
PAYLOAD = "cosign container image signature"
CONFIG = "application/vnd.oci.image.config.v1+json"


def tag_of(digest: str) -> str:
    """The tag that holds the signatures of a manifest."""
    return f"sha256-{hex_of(digest)}.sig"


def read(payload: bytes, layer: Descriptor, digest: str, where: str) -> Claim:
    """The claim of one layer. Raises ArtifactError when it is malformed or is about another digest."""
    critical = object_field(parse_object(payload, where), "critical", where)
    kind = critical.get("type")
    if kind != PAYLOAD:
        refuse(f"{where}.critical.type", describe(kind), PAYLOAD)
    signed = object_field(critical, "image", where).get("docker-manifest-digest")
    if signed != digest:
        refuse(f"{where}.critical.image", f"a signature of {describe(signed)}", digest)
    return Claim(
        form="simplesigning",
        signatures=(decode(layer.annotations.get(SIGNATURE), f"{where} annotation {SIGNATURE}"),),
        signed=payload,
        docker_reference=text_field(object_field(critical, "identity", where), "docker-reference", where, default=""),
    )


def payload_for(digest: str, name: str) -> bytes:
    """The bytes to sign; name is the repository as people write it."""
    critical = {
        "identity": {"docker-reference": name},
        "image": {"docker-manifest-digest": digest},
        "type": PAYLOAD,
    }
    return _compact({"critical": critical, "optional": None})


def config_for(layers: tuple[Descriptor, ...]) -> bytes:
    """The image configuration that cosign expects beside signature layers."""
    root = {"type": "layers", "diff_ids": [layer.digest for layer in layers]}
    return _compact({"architecture": "", "created": "0001-01-01T00:00:00Z", "os": "", "rootfs": root, "config": {}})


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
