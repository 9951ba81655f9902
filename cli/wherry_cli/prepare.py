"""From what was typed to a plan: choose the app, fetch the artifact, check who signed it, plan."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wherry.errors import FieldError, InputError, InvalidApp
from wherry.oci import source
from wherry.oci.access import Access
from wherry.oci.policy import Policy
from wherry.oci.pull import Artifact, pull
from wherry.oci.source import FileSource, FolderSource
from wherry.plan.from_app import Local, Module, from_app
from wherry.plan.locally import ignored
from wherry.plan.model import RunPlan, WasmFile
from wherry.spec.model import WasmApp
from wherry.wasm.inspect import inspect
from wherry_cli import progress
from wherry_cli.documents import SUFFIXES, app_of
from wherry_cli.failure import note
from wherry_cli.settings import Setting

if TYPE_CHECKING:
    from wherry.oci.signature import PublicKey


@dataclass(frozen=True)
class Request:
    """What to run and what this machine grants it. wasm: a file in place of the artifact; keys: trusted signers."""

    target: str
    name: str
    settings: tuple[Setting, ...]
    local: Local
    wasm: Path | None
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True)
class Prepared:
    """A plan, and the files of this machine that it was made from."""

    plan: RunPlan
    files: tuple[Path, ...]


def prepare(request: Request, access: Access) -> Prepared:
    """Raises any WherryError but StartError."""
    app = app_of(request.target, request.name, request.settings)
    if unused := ignored(app):
        note(f"without a cluster, these are ignored: {', '.join(unused)}")
    wanted = os.path.join(".", request.wasm) if request.wasm else app.spec.artifact
    artifact = fetched(wanted, policy_of(app, request.keys), access)
    inspection = inspect(artifact.path.read_bytes())
    module = Module(WasmFile(str(artifact.path), artifact.wasm), inspection)
    return Prepared(from_app(app, module, request.local), files_of(request.target, wanted))


def policy_of(app: WasmApp, keys: tuple[PublicKey, ...]) -> Policy | None:
    """The signatures to ask for: the command line has the keys, the app how many. Raises InvalidApp."""
    asked = app.spec.verify
    if asked and not keys:
        cure = "give --key FILE once for each of spec.verify.keys"
        missing = FieldError("spec.verify.keys", "no key on this machine", f"{len(asked.keys)}", cure)
        raise InvalidApp(app.metadata.name, [missing])
    return Policy(keys, asked.threshold if asked else 1) if keys else None


def fetched(wanted: str, policy: Policy | None, access: Access) -> Artifact:
    """The artifact's Wasm on this machine. Raises what pull raises, InputError for a file that must be signed."""
    if policy and isinstance(source.parse(wanted), FileSource):
        raise InputError(f"{wanted}: a file has no signatures", cure="push it and sign it, or leave --key away")
    with progress.shown() as bars:
        return pull(wanted, access, bars, policy) if policy else pull(wanted, access, bars)


def files_of(target: str, wanted: str) -> tuple[Path, ...]:
    """What to look at for changes: the document, and a Wasm file or layout folder. A registry is asked once."""
    document = (Path(target),) if target.endswith(SUFFIXES) else ()
    match source.parse(wanted):
        case FileSource(path):
            return (*document, path)
        case FolderSource(path):
            return (*document, path / "index.json")
    return document
