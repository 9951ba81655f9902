"""Objects as they are remembered: what nobody reads is dropped, the rest is compressed."""

from __future__ import annotations

import json
import zlib
from typing import Any

from wherry_operator.manifest import Manifest

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
POD_SPEC = ("nodeName", "schedulingGates", "terminationGracePeriodSeconds")
"""What is kept of a Pod's spec beside its containers' names and images; the rest is in its owner's template."""


class Packer:
    """For objects of one kind, which are much alike: the first one is the dictionary that all are compressed with."""

    def __init__(self) -> None:
        self._like = b""

    def pack(self, manifest: Manifest) -> bytes:
        data = json.dumps(kept(manifest), separators=(",", ":"), ensure_ascii=False).encode()
        self._like = self._like or data
        packer = zlib.compressobj(1, wbits=-15, memLevel=5, zdict=self._like)
        return packer.compress(data) + packer.flush()

    def unpack(self, packed: bytes) -> dict[str, Any]:
        """Fresh data, the caller's own."""
        manifest: dict[str, Any] = json.loads(zlib.decompressobj(-15, zdict=self._like).decompress(packed))
        return manifest


def kept(manifest: Manifest) -> dict[str, Any]:
    """Without managedFields, without what kubectl notes for itself, and of a Pod's spec only what is its own."""
    lean = dict(manifest)
    lean["metadata"] = _metadata(manifest["metadata"])
    if manifest.get("kind") == "Pod":
        lean["spec"] = _pod(manifest.get("spec", {}))
    return lean


def _metadata(metadata: Manifest) -> dict[str, Any]:
    lean = {name: value for name, value in metadata.items() if name != "managedFields"}
    if LAST_APPLIED in (annotations := lean.get("annotations") or {}):
        lean["annotations"] = {name: value for name, value in annotations.items() if name != LAST_APPLIED}
    return lean


def _pod(spec: Manifest) -> dict[str, Any]:
    lean = {name: spec[name] for name in POD_SPEC if name in spec}
    for group in ("initContainers", "containers"):
        if group in spec:
            lean[group] = [{"name": each["name"], "image": each.get("image", "")} for each in spec[group]]
    return lean
