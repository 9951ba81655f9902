"""The config of the CNCF layout: what a publisher says of a Wasm binary, before anyone downloads it.

It is a claim. What runs is decided by the bytes alone; the claim is compared with them when they are here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from wherry.errors import ArtifactError
from wherry.oci.document import list_field, object_field, parse_object, refuse, text_field
from wherry.wasm.module import Inspection

_NAMES = 4096


@dataclass(frozen=True, slots=True)
class WasmConfig:
    """os: `wasip1` for modules, `wasip2` for components. layer_digests makes each config unique, and so does the
    image ID that a container runtime derives from it. component: (imports, exports), None for a module.
    """

    created: str
    os: str
    layer_digests: tuple[str, ...]
    component: tuple[tuple[str, ...], tuple[str, ...]] | None

    def to_bytes(self) -> bytes:
        """Compact JSON in the specification's order."""
        component: dict[str, Any] | None = None
        if self.component is not None:
            imports, exports = self.component
            component = {"exports": list(exports), "imports": list(imports), "target": None}
        fields: dict[str, Any] = {"created": self.created, "author": None, "architecture": "wasm", "os": self.os}
        fields |= {"layerDigests": list(self.layer_digests), "component": component}
        return json.dumps(fields, separators=(",", ":")).encode()


def describing(inspection: Inspection, digest: str, created: str) -> WasmConfig:
    """The config that we write for a binary. created is RFC 3339."""
    is_component = inspection.kind == "component"
    component = (inspection.imports, inspection.exports) if is_component else None
    return WasmConfig(created, "wasip2" if is_component else "wasip1", (digest,), component)


def parse(data: bytes, where: str) -> WasmConfig:
    """Raises ArtifactError for another architecture, and for what is not of the schema's types."""
    fields = parse_object(data, where)
    architecture = text_field(fields, "architecture", where, default="wasm")
    if architecture != "wasm":
        refuse(f"{where}.architecture", repr(architecture[:40]), "wasm")
    component = None
    if fields.get("component") is not None:
        found = object_field(fields, "component", where)
        component = (_names(found, "imports", where), _names(found, "exports", where))
    return WasmConfig(
        created=text_field(fields, "created", where, default=""),
        os=text_field(fields, "os", where, default=""),
        layer_digests=_names(fields, "layerDigests", where),
        component=component,
    )


def check(config: WasmConfig, layer: str, where: str) -> None:
    """The config must name the layer it describes. Raises ArtifactError."""
    if config.layer_digests and config.layer_digests != (layer,):
        raise ArtifactError(
            f"{where}.layerDigests: got {', '.join(config.layer_digests)[:160]}, expected {layer}",
            cure="its config is of another artifact: push it again",
        )


def _names(fields: Any, name: str, where: str) -> tuple[str, ...]:
    found = list_field(fields, name, where, _NAMES)
    if not all(isinstance(text, str) for text in found):
        refuse(f"{where}.{name}", "something else than strings", "strings")
    return tuple(found)
