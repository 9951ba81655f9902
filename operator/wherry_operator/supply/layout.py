"""Which layouts run in a cluster: what the kubelet pulls by itself, with a config that no other artifact shares.

containerd knows an image by the digest of its config. Where two artifacts have an equal one, it may start the one for
the other.
"""

from __future__ import annotations

from wherry.errors import LayoutNotRunnable
from wherry.oci.layouts import WASM_LAYER
from wherry.oci.manifest import Manifest
from wherry.oci.resolve import Resolved

_CURE = "`wherry pull` it and `wherry push` the file"
_SHARED = "its config does not tell it from other artifacts, and containerd may take one for the other"
_REFUSED = {
    "cncf-at": _SHARED,
    "wasm-to-oci": _SHARED,
    "solo": _SHARED,
    "wasmcloud": _SHARED,
}


def check(resolved: Resolved, manifest: Manifest) -> None:
    """manifest: the resolved one. Raises LayoutNotRunnable."""
    if problem := _problem(resolved, manifest):
        message = f"{resolved.where}: layout {resolved.layout} does not run in a cluster: {problem}"
        raise LayoutNotRunnable(message, cure=_CURE)


def _problem(resolved: Resolved, manifest: Manifest) -> str:
    if resolved.layout in _REFUSED:
        return _REFUSED[resolved.layout]
    if resolved.layout == "cncf":
        named = resolved.claim is not None and bool(resolved.claim.layer_digests)
        return "" if named else "its config has no layerDigests, so that other artifacts may share it"
    expected = _tar_layers(manifest)
    if len(resolved.diff_ids) != expected:
        return f"its config has {len(resolved.diff_ids)} diff_ids for {expected} tar layers, which containerd refuses"
    return ""


def _tar_layers(manifest: Manifest) -> int:
    return sum(".tar" in layer.media_type and layer.media_type != WASM_LAYER for layer in manifest.layers)
