"""How an artifact is run: as the app asks, or as what it exports says."""

from __future__ import annotations

from wherry.errors import FieldError, InvalidApp
from wherry.plan import kind
from wherry.spec.model import Run, WasmApp
from wherry.spec.status import ArtifactStatus
from wherry.wasm.inspect import inspection
from wherry.wasm.module import Inspection
from wherry.wasm.names import Names


def run_of(app: WasmApp, artifact: ArtifactStatus) -> Run:
    """Raises InvalidApp: the artifact cannot be run so, or a field means nothing for what runs."""
    found, faults = kind.run_of(app.spec.run, said(artifact))
    run = app.spec.run or found
    if app.spec.expose and run != "http":
        faults = [*faults, FieldError("spec.expose", f"it with an artifact that is a {run}", "an artifact for http")]
    if faults:
        raise InvalidApp(app.metadata.name, faults)
    return run


def said(artifact: ArtifactStatus) -> Inspection:
    """What the binary said of itself when it was inspected."""
    names = Names(artifact.imports, artifact.exports)
    return inspection("component" if artifact.kind == "component" else "module", names, artifact.size)
