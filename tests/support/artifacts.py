"""Artifacts of every layout that is met in the wild, built small: manifests and the blobs they name."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from wherry.oci.descriptor import TITLE, Descriptor, Platform
from wherry.oci.digest import digest_of
from wherry.oci.layouts import DOCKER_CONFIG, EMPTY_CONFIG, IMAGE_CONFIG, WASM_CONFIG, WASM_LAYER
from wherry.oci.manifest import DOCKER_MANIFEST, INDEX, MANIFEST, Index, Manifest, RawManifest
from wherry.oci.store import Repository, Silent

MODULE = bytes.fromhex("0061736d 01000000 01040160 0000 03020100 070a01 06 5f7374617274 0000 0a040102000b")
"""`(module (func (export "_start")))`."""
COMPONENT = bytes.fromhex("0061736d 0d000100")
"""An empty component."""
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)

TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
TAR = "application/vnd.oci.image.layer.v1.tar"
DOCKER_TAR = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True)
class Built:
    """A manifest with its blobs; layout: the name that it must be recognised by."""

    manifest: RawManifest
    blobs: tuple[bytes, ...]
    layout: str = ""
    children: tuple[Built, ...] = field(default=())

    def put(self, repository: Repository, tag: str = "v1") -> str:
        """Store everything in a repository, as a publisher would."""
        for child in self.children:
            child.put(repository, "")
        for blob in self.blobs:
            repository.put_blob(Descriptor.of(blob, ""), BytesIO(blob), Silent())
        return repository.put_manifest(self.manifest, tag)


def built(
    layout: str,
    config: tuple[str, bytes],
    layers: Sequence[tuple[str, bytes]],
    media_type: str = MANIFEST,
    **fields: Any,
) -> Built:
    """An artifact of (media type, bytes) pairs."""
    described = tuple(Descriptor.of(data, kind, {TITLE: f"{layout}.wasm"}) for kind, data in layers)
    manifest = Manifest(media_type, Descriptor.of(config[1], config[0]), described, **fields)
    return Built(manifest.to_raw(), (config[1], *(data for _, data in layers)), layout)


def wasm_config(wasm: bytes, **changes: Any) -> bytes:
    """The CNCF config of a module."""
    fields = {"created": "2026-01-01T00:00:00Z", "author": None, "architecture": "wasm", "os": "wasip1"}
    return json.dumps(fields | {"layerDigests": [digest_of(wasm)], "component": None} | changes).encode()


def cncf(wasm: bytes = MODULE) -> Built:
    return built("cncf", (WASM_CONFIG, wasm_config(wasm)), [(WASM_LAYER, wasm)])


def cncf_artifact_type(wasm: bytes = MODULE) -> Built:
    return built("cncf-at", (EMPTY_CONFIG, b"{}"), [(WASM_LAYER, wasm)], artifact_type=WASM_CONFIG)


def wasm_to_oci(wasm: bytes = MODULE) -> Built:
    """Its manifest has no mediaType of its own."""
    config = ("application/vnd.wasm.config.v1+json", b"{}")
    found = built("wasm-to-oci", config, [("application/vnd.wasm.content.layer.v1+wasm", wasm)])
    fields = json.loads(found.manifest.data)
    del fields["mediaType"]
    return Built(RawManifest(MANIFEST, json.dumps(fields).encode()), found.blobs, found.layout)


def solo(wasm: bytes = MODULE) -> Built:
    runtime = b'{"type":"envoy_proxy","abi_version":"v0-541b2c1155fffb15ccde92b8324f3e38f7339ba6","config":{}}'
    layers = [
        ("application/vnd.module.wasm.config.v1+json", runtime),
        ("application/vnd.module.wasm.content.layer.v1+wasm", wasm),
    ]
    return built("solo", (IMAGE_CONFIG, b"{}"), layers)


def wasmcloud(wasm: bytes = MODULE) -> Built:
    config = ("application/vnd.wasmcloud.actor.archive.config", b"{}")
    return built("wasmcloud", config, [("application/vnd.module.wasm.content.layer.v1+wasm", wasm)])


def wasmcloud_old(wasm: bytes = MODULE) -> Built:
    """The raw binary under a tar's media type."""
    return built("wasmcloud", ("application/vnd.wasmcloud.actor.archive.config", b"{}"), [(TAR, wasm)])


def runwasi(wasm: bytes = MODULE) -> Built:
    config = image_config((), architecture="wasm", os="wasip1")
    layers = [("application/vnd.bytecodealliance.wasm.component.layer.v0+wasm", wasm)]
    return built("runwasi", (IMAGE_CONFIG, config), layers)


def compat(wasm: bytes = MODULE, *, docker: bool = False, below: Sequence[bytes] = ()) -> Built:
    """A Linux image with a .wasm entrypoint, as buildah and Docker push it."""
    tars = [*below, tar({"app.wasm": wasm})]
    config = image_config(tars, {"Entrypoint": ["/app.wasm"]})
    kind = DOCKER_TAR if docker else TAR_GZIP
    return built(
        "compat",
        (DOCKER_CONFIG if docker else IMAGE_CONFIG, config),
        [(kind, gzip.compress(data, mtime=0)) for data in tars],
        DOCKER_MANIFEST if docker else MANIFEST,
        annotations={"module.wasm.image/variant": "compat"},
    )


def docker_wasi(wasm: bytes = MODULE) -> Built:
    data = tar({"./app/main.wasm": wasm})
    config = image_config([data], {"Cmd": ["app/main.wasm"]}, os="wasi", architecture="wasm")
    return built("docker-wasi", (IMAGE_CONFIG, config), [(TAR_GZIP, gzip.compress(data, mtime=0))])


def hybrid(wasm: bytes = MODULE) -> Built:
    files = tar({"etc/settings": b"x"})
    return built(
        "hybrid", (IMAGE_CONFIG, image_config([files])), [(TAR_GZIP, gzip.compress(files, mtime=0)), (WASM_LAYER, wasm)]
    )


def native_image() -> Built:
    data = tar({"bin/server": ELF})
    config = image_config([data], {"Entrypoint": ["/bin/server"]})
    return built("", (IMAGE_CONFIG, config), [(TAR_GZIP, gzip.compress(data, mtime=0))])


def index(*entries: tuple[Built, Platform | None], layout: str = "") -> Built:
    """An index of artifacts with their platforms."""
    pointers = tuple(
        Descriptor(child.manifest.media_type, child.manifest.digest, len(child.manifest.data), platform=platform)
        for child, platform in entries
    )
    children = tuple(child for child, _ in entries)
    return Built(Index(INDEX, pointers).to_raw(), (), layout or children[0].layout, children)


def image_config(
    tars: Sequence[bytes], config: Mapping[str, Any] | None = None, os: str = "linux", architecture: str = "amd64"
) -> bytes:
    """An image config whose diff_ids are those of uncompressed tars."""
    rootfs = {"type": "layers", "diff_ids": [digest_of(data) for data in tars]}
    fields = {"architecture": architecture, "os": os, "config": config or {}, "rootfs": rootfs}
    return json.dumps(fields).encode()


def tar(files: Mapping[str, bytes | str | None], form: int = tarfile.PAX_FORMAT) -> bytes:
    """An uncompressed tar: bytes are files, text is a symbolic link's target, None a folder."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=form) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if content is None:
                entry.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            else:
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content if isinstance(content, bytes) else b""))
    return into.getvalue()


READABLE = (
    cncf(),
    cncf(COMPONENT),
    cncf_artifact_type(),
    wasm_to_oci(),
    solo(),
    wasmcloud(),
    wasmcloud_old(),
    runwasi(),
    compat(),
    compat(docker=True),
    compat(below=[tar({"etc/os-release": b"x"})]),
    docker_wasi(),
    hybrid(),
    index((docker_wasi(), Platform("wasi", "wasm")), (native_image(), Platform("linux", "amd64"))),
    index((native_image(), Platform("linux", "amd64")), (cncf(), Platform("wasip1", "wasm")), layout="cncf"),
    index((cncf(), None)),
)
