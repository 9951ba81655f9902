"""The CNCF Wasm layout, written: one config, one `application/wasm` layer, the same bytes for the same input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from wherry.errors import InputError
from wherry.oci import wasm_config
from wherry.oci.descriptor import TITLE, Descriptor
from wherry.oci.digest import digest_of
from wherry.oci.layouts import WASM_CONFIG, WASM_LAYER
from wherry.oci.manifest import MANIFEST, Manifest, RawManifest
from wherry.wasm.module import Inspection

EPOCH = "1970-01-01T00:00:00Z"
"""`created` when nobody says: a clock would give the same bytes another digest at every push."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What a push writes: layer and config blobs first, the manifest last."""

    layer: Descriptor
    config: bytes
    manifest: RawManifest

    @property
    def config_descriptor(self) -> Descriptor:
        """As the manifest has it."""
        return Descriptor.of(self.config, WASM_CONFIG)


def pack(wasm: bytes, inspection: Inspection, title: str, annotations: Mapping[str, str], created: str) -> Packed:
    """title: the file's name, kept on the layer. annotations go to the manifest."""
    layer = Descriptor(WASM_LAYER, digest_of(wasm), len(wasm), {TITLE: title})
    config = wasm_config.describing(inspection, layer.digest, created).to_bytes()
    manifest = Manifest(MANIFEST, Descriptor.of(config, WASM_CONFIG), (layer,), annotations)
    return Packed(layer, config, manifest.to_raw())


def created_at(source_date_epoch: str | None) -> str:
    """RFC 3339 of SOURCE_DATE_EPOCH (reproducible-builds.org), else EPOCH. Raises InputError."""
    if source_date_epoch is None or source_date_epoch == "":
        return EPOCH
    if not re.fullmatch(r"[0-9]{1,12}", source_date_epoch):
        raise InputError(f"SOURCE_DATE_EPOCH: got {source_date_epoch[:40]!r}, expected seconds since 1970")
    try:
        return datetime.fromtimestamp(int(source_date_epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise InputError(f"SOURCE_DATE_EPOCH: {source_date_epoch} is beyond the calendar") from None
