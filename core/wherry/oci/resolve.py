"""From a source to one manifest and the place of its Wasm, before the Wasm itself is fetched.

The order is that of trust: manifest, hashed; the child of an index, hashed; layout and limits; config, hashed. A
signature is checked on the digest found here, between `resolve` and `wherry.oci.pull.fetch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from wherry.errors import ArtifactError, LayoutNotRunnable
from wherry.oci import image_config, index_choice, layouts, wasm_config
from wherry.oci.descriptor import TITLE, Descriptor
from wherry.oci.folder import FolderRepository
from wherry.oci.image_config import ImageConfig
from wherry.oci.layouts import DOCKER_CONFIG, IMAGE_CONFIG, WASM_CONFIG, Layout
from wherry.oci.manifest import Index, Manifest, parse, parse_manifest
from wherry.oci.reference import DEFAULT_TAG
from wherry.oci.store import SMALL_BLOB, Reader, Repository
from wherry.oci.wasm_config import WasmConfig

LAYERS_OF_AN_IMAGE = 32


@dataclass(frozen=True, slots=True)
class Resolved:
    """A manifest that can run. digest: its own; index_digest: of the index that was named, "" without one.

    layout: its name. layers: the one that is the Wasm, or the tar layers from the bottom up. program: the file inside
    tar layers, "" else. diff_ids: of the tar layers that an image says it has. claim: what the publisher's config says
    of the binary; None where the layout has none.
    """

    where: str
    digest: str
    index_digest: str
    layout: str
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    program: str = ""
    diff_ids: tuple[str, ...] = ()
    claim: WasmConfig | None = None

    @property
    def size(self) -> int:
        """Bytes that a fetch downloads at most."""
        return sum(layer.size for layer in self.layers)

    @property
    def title(self) -> str:
        """The file name that the publisher gave, "" without one. For display: never a path to write to."""
        return self.layers[0].annotations.get(TITLE, "")


def target_of(repository: Repository, target: str) -> str:
    """target, or the only manifest of a layout folder when none is named. Raises ArtifactError."""
    return target or (repository.only_target() if isinstance(repository, FolderRepository) else DEFAULT_TAG)


def resolve(repository: Reader, target: str) -> Resolved:
    """target: a tag or digest of the repository. Raises RegistryError, ArtifactError, LayoutNotRunnable."""
    where = f"{repository.name}{'@' if ':' in target else ':'}{target}"
    raw = repository.manifest(target)
    found, index_digest = parse(raw, where), ""
    if isinstance(found, Index):
        index_digest = raw.digest
        raw = repository.manifest(index_choice.choose(found, where).digest)
        found = parse_manifest(raw, where)
    layout = layouts.detect(found, where)
    start = Resolved(where, raw.digest, index_digest, layout.name, layout.layers, found.annotations)
    return _configured(repository, start, layout, found)


def _configured(repository: Reader, start: Resolved, layout: Layout, manifest: Manifest) -> Resolved:
    kind = manifest.config.media_type
    if kind == WASM_CONFIG:
        claim = wasm_config.parse(repository.blob(manifest.config), f"{start.where} config")
        wasm_config.check(claim, layout.layers[0].digest, f"{start.where} config")
        return replace(start, claim=claim)
    if kind not in {IMAGE_CONFIG, DOCKER_CONFIG} or manifest.config.size > SMALL_BLOB:
        return start
    config = image_config.parse(repository.blob(manifest.config), f"{start.where} config")
    if config.spin:
        cure = "build a component for wasi:http or wasi:cli and `wherry push` it"
        raise LayoutNotRunnable(f"{start.where}: a Spin application needs the Spin host's interfaces", cure=cure)
    return _image(start, config) if layout.how == "tar" else replace(start, diff_ids=config.diff_ids)


def _image(start: Resolved, config: ImageConfig) -> Resolved:
    if len(start.layers) > LAYERS_OF_AN_IMAGE:
        raise ArtifactError(f"{start.where}: got {len(start.layers)} layers, expected at most {LAYERS_OF_AN_IMAGE}")
    if len(config.diff_ids) != len(start.layers):
        raise ArtifactError(
            f"{start.where} config.rootfs.diff_ids: got {len(config.diff_ids)}, expected {len(start.layers)} as layers"
        )
    program = image_config.program(config, start.where)
    return replace(start, layout=image_config.layout_name(config), program=program, diff_ids=config.diff_ids)
