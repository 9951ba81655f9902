"""The golden cases: an app, what is known of its artifact and its cluster, and the objects that follow.

`golden/<case>/app.yaml`; an example of the tree has only `wanted.yaml` here. `artifact.yaml` and `context.yaml` say
what differs from ARTIFACT and an offline context. WRITE_GOLDEN=1 writes `wanted.yaml`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tests.architecture.tree import ROOT
from wherry.spec.document import load
from wherry.spec.emission import dump
from wherry.spec.model import WasmApp
from wherry.spec.parse import parse
from wherry.spec.record import Record
from wherry.spec.status import ArtifactStatus
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render
from wherry_operator.manifest import Manifest

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = ROOT / "examples"
ARTIFACT = ArtifactStatus(
    digest=f"sha256:{'1' * 64}",
    wasm=f"sha256:{'2' * 64}",
    kind="component",
    world="wasi:http/proxy@0.2.3",
    imports=("wasi:io/streams@0.2.3",),
    exports=("wasi:http/incoming-handler@0.2.3",),
    size=4096,
)


@dataclass(frozen=True)
class Case:
    name: str
    app: WasmApp
    artifact: ArtifactStatus
    context: Context

    @property
    def golden(self) -> Path:
        return GOLDEN / self.name / "wanted.yaml"

    def rendered(self) -> tuple[Manifest, ...]:
        return render(self.app, self.artifact, self.context)

    def wanted(self) -> str:
        """What `wherry render` prints, and the golden file; written anew when asked."""
        text = dump(self.rendered())
        if os.environ.get("WRITE_GOLDEN"):
            self.golden.write_text(text)
        return text


def artifact_of(app: WasmApp, given: Any) -> ArtifactStatus:
    """ARTIFACT at the app's reference, but for what is given."""
    known: Any = Record(ArtifactStatus).write(replace(ARTIFACT, reference=app.spec.artifact))
    return Record(ArtifactStatus).read(known | given, "artifact")


def context_of(given: Any) -> Context:
    names = {re.sub("_([a-z])", lambda match: match[1].upper(), each.name): each.name for each in fields(Context)}
    values: Any = {names[name]: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return Context(**values)


def _case(folder: Path) -> Case:
    file = folder / "app.yaml" if (folder / "app.yaml").exists() else EXAMPLES / folder.name / "app.yaml"
    (app,) = parse(file.read_text(), str(file))
    return Case(folder.name, app, artifact_of(app, _given(folder, "artifact")), context_of(_given(folder, "context")))


def _given(folder: Path, name: str) -> Any:
    file = folder / f"{name}.yaml"
    return load(file.read_text())[0] if file.exists() else {}


def cases() -> list[Case]:
    return [_case(folder) for folder in sorted(GOLDEN.iterdir())]
