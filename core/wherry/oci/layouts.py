"""Which layout a manifest has, and where its Wasm lies: a table, read from the top.

Media types only suggest: what the layer holds is looked at before anything runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from wherry.errors import ArtifactError, LayoutNotRunnable
from wherry.oci.descriptor import Descriptor
from wherry.oci.manifest import Manifest

WASM_CONFIG = "application/vnd.wasm.config.v0+json"
WASM_LAYER = "application/wasm"
EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"

_WASM_TO_OCI_CONFIG = "application/vnd.wasm.config.v1+json"
_WASM_TO_OCI_LAYER = "application/vnd.wasm.content.layer.v1+wasm"
_SOLO_CONFIG = "application/vnd.module.wasm.config.v1+json"
_SOLO_LAYER = "application/vnd.module.wasm.content.layer.v1+wasm"
_RUNWASI_LAYER = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"
_ACTOR = "application/vnd.wasmcloud.actor.archive.config"
_PROVIDER = "application/vnd.wasmcloud.provider.archive.config"
_PROVIDER_LAYER = "application/vnd.wasmcloud.provider.archive.layer.v1+par"
_TAR = "application/vnd.oci.image.layer.v1.tar"
_TAR_LAYERS = frozenset(
    {_TAR, f"{_TAR}+gzip", f"{_TAR}+zstd", "application/vnd.docker.image.rootfs.diff.tar.gzip"}
    | {"application/vnd.docker.image.rootfs.diff.tar"}
)
_PUSH = "build the .wasm and `wherry push` it"

How = Literal["layer", "tar"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A recognised layout. how: one layer is the Wasm itself, or a file inside tar layers is (the image's config names
    it). layers: that one layer, or the tar layers from the bottom up.
    """

    name: str
    how: How
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    applies: Callable[[Manifest], bool]
    wasm: frozenset[str] = frozenset()
    refusal: str = ""
    cure: str = _PUSH


def _types(manifest: Manifest) -> set[str]:
    return {layer.media_type for layer in manifest.layers}


def _config(*types: str) -> Callable[[Manifest], bool]:
    return lambda manifest: manifest.config.media_type in types


def _layer(*types: str) -> Callable[[Manifest], bool]:
    return lambda manifest: not _types(manifest).isdisjoint(types)


def _any_layer(mark: str) -> Callable[[Manifest], bool]:
    return lambda manifest: any(mark in media_type for media_type in _types(manifest))


def _is_spin(manifest: Manifest) -> bool:
    marked = "fermyon.spin" in manifest.config.media_type or any("fermyon.spin" in kind for kind in _types(manifest))
    is_image = manifest.config.media_type == IMAGE_CONFIG
    return marked or (is_image and _WASM_TO_OCI_LAYER in _types(manifest))


def _is_image(manifest: Manifest) -> bool:
    return manifest.config.media_type in {IMAGE_CONFIG, DOCKER_CONFIG}


def _is_hybrid(manifest: Manifest) -> bool:
    return _is_image(manifest) and WASM_LAYER in _types(manifest)


def _is_tar_image(manifest: Manifest) -> bool:
    return _is_image(manifest) and bool(manifest.layers) and _types(manifest) <= _TAR_LAYERS


def _is_signature(manifest: Manifest) -> bool:
    marks = ("dev.cosign", "dev.sigstore", "dsse.envelope", "cncf.notary")
    kinds = {manifest.config.media_type, manifest.artifact_type, *_types(manifest)}
    return any(mark in kind for mark in marks for kind in kinds)


_RULES = (
    _Rule("signature", _is_signature, refusal="it is a signature or an attestation", cure="name what it signs"),
    _Rule("encrypted", _any_layer("+encrypted"), refusal="its layers are encrypted", cure="push it unencrypted"),
    _Rule(
        "precompiled",
        _any_layer("cwasm"),
        refusal="it holds machine code, which is never taken from a registry",
        cure="push the .wasm it was compiled from",
    ),
    _Rule(
        "wasmcloud-provider",
        lambda manifest: _config(_PROVIDER)(manifest) or _layer(_PROVIDER_LAYER)(manifest),
        refusal="a wasmCloud capability provider holds native programs",
        cure="push the component that uses it",
    ),
    _Rule("spin", _is_spin, refusal="a Spin application needs the Spin host's own interfaces"),
    _Rule("cncf", _config(WASM_CONFIG), frozenset({WASM_LAYER})),
    _Rule("cncf-at", lambda manifest: manifest.artifact_type == WASM_CONFIG, frozenset({WASM_LAYER})),
    _Rule("wasm-to-oci", _config(_WASM_TO_OCI_CONFIG), frozenset({_WASM_TO_OCI_LAYER})),
    _Rule("wasmcloud", _config(_ACTOR), frozenset({_SOLO_LAYER, _TAR})),
    _Rule("solo", _layer(_SOLO_LAYER), frozenset({_SOLO_LAYER})),
    _Rule("solo", _config(_SOLO_CONFIG), frozenset({_SOLO_LAYER})),
    _Rule("runwasi", _layer(_RUNWASI_LAYER), frozenset({_RUNWASI_LAYER})),
    _Rule("hybrid", _is_hybrid, frozenset({WASM_LAYER})),
)

_ALONE = frozenset({"cncf", "cncf-at", "wasm-to-oci", "wasmcloud"})
"""Layouts whose one layer is all they may have; the others carry configuration or files beside it."""


def detect(manifest: Manifest, where: str) -> Layout:
    """Raises LayoutNotRunnable, which names the layout, why it does not run and the cure; ArtifactError for what is
    no Wasm layout at all.
    """
    for rule in _RULES:
        if rule.applies(manifest):
            return _layout(rule, manifest, where)
    if _is_tar_image(manifest):
        return Layout("image", "tar", manifest.layers)
    raise ArtifactError(
        f"{where}: got config {manifest.config.media_type[:80]!r} and layers {sorted(_types(manifest))[:4]}, "
        "expected a Wasm artifact",
        cure=_PUSH,
    )


def _layout(rule: _Rule, manifest: Manifest, where: str) -> Layout:
    if rule.refusal:
        raise LayoutNotRunnable(f"{where}: layout {rule.name}: {rule.refusal}", cure=rule.cure)
    found = [layer for layer in manifest.layers if layer.media_type in rule.wasm]
    count = len(manifest.layers) if rule.name in _ALONE else len(found)
    if len(found) != 1 or count != 1:
        raise LayoutNotRunnable(
            f"{where}: layout {rule.name}: got {count} layers with {len(found)} Wasm binaries among them, expected one",
            cure="push one component or module; compose several into one component first",
        )
    return Layout(rule.name, "layer", tuple(found))
