"""`wherry render`: the objects that the operator would apply, by the operator's own code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from wherry.errors import FieldError, InputError, InvalidApp
from wherry.oci import registries, source
from wherry.oci.access import Access
from wherry.oci.cache import BlobCache
from wherry.oci.cached import CachedReader
from wherry.oci.manifest import parse_manifest
from wherry.oci.pull import pull
from wherry.oci.push import prepared
from wherry.oci.reference import Reference
from wherry.oci.resolve import Resolved
from wherry.oci.store import Repository
from wherry.spec.emission import dump
from wherry.spec.model import WasmApp
from wherry.spec.status import ArtifactStatus
from wherry.spec.wording import describe
from wherry.wasm.inspect import inspect
from wherry.wasm.module import Inspection
from wherry_cli import options, progress
from wherry_cli.documents import apps_of, chosen
from wherry_cli.failure import note
from wherry_cli.settings import setting
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render
from wherry_operator.manifest import Manifest
from wherry_operator.supply import layout


@dataclass(frozen=True)
class Wanted:
    """What is to be rendered, but for the apps. wasm: a file in place of what the registry has."""

    wasm: Path | None
    runner_image: str
    access: Access


@click.command("render")
@click.argument("target")
@click.option("--name", default="", help="Only this one, where the file holds several.")
@click.option("-n", "--namespace", help="Namespace of what names none.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="A field for this time: spec.port=81.")
@click.option("--wasm", type=options.FILE, help="As if this file were pushed there; no registry is asked.")
@click.option("--runner-image", default="", help="The image with the engine, for spec.executor: container.")
@options.registry
@options.as_json
def command(
    target: str, name: str, namespace: str | None, settings: tuple[str, ...], as_json: bool, **given: object
) -> None:
    """Show the Kubernetes objects that a WasmApp becomes.

    TARGET is a WasmApp document (.yaml, .yml, .json), of which every app is rendered, or a reference.

    What only a cluster knows is not there: owners, and what ConfigMaps and Secrets hold. Signatures are not checked.
    """
    wanted = Wanted(**given)  # type: ignore[arg-type]
    apps = apps_of(target, tuple(map(setting, settings)))
    apps = (chosen(apps, name, target),) if name else apps
    show([each for app in apps for each in objects(placed(app, namespace), wanted)], as_json)


def placed(app: WasmApp, namespace: str | None) -> WasmApp:
    """In the namespace, unless it names one itself."""
    return app if app.metadata.namespace else replace(app, metadata=replace(app.metadata, namespace=namespace))


def objects(app: WasmApp, wanted: Wanted) -> tuple[Manifest, ...]:
    """Raises any WherryError but StartError."""
    if app.spec.executor == "container" and not wanted.runner_image:
        message = (
            f"{app.metadata.name}: spec.executor: container needs the image with the engine, a setting of operators"
        )
        raise InputError(message, cure="give --runner-image IMAGE")
    place = reference_of(app)
    artifact = local(place, app, wanted) if wanted.wasm else remote(app, wanted.access)
    for line in unknown(app):
        note(f"{app.metadata.name}: {line}")
    entry = {host: each for host, each in wanted.access.registries.items() if host == place.host}
    context = Context(runner_image=wanted.runner_image, registries=registries.dump(entry) if entry else "")
    return render(app, artifact, context)


def reference_of(app: WasmApp) -> Reference:
    """Raises InvalidReference, and InvalidApp for what no node can pull."""
    place = source.parse(app.spec.artifact)
    if isinstance(place, Reference):
        return place
    cure = "push it, or give the file with --wasm"
    fault = FieldError("spec.artifact", describe(app.spec.artifact), "a reference that nodes can pull", cure)
    raise InvalidApp(app.metadata.name, [fault])


def remote(app: WasmApp, access: Access) -> ArtifactStatus:
    """What the registry has, or the cache of what is named by its digest. Raises LayoutNotRunnable as the operator."""

    def runs_in_a_cluster(repository: Repository, resolved: Resolved) -> None:
        reader = CachedReader(repository, BlobCache(access.cache))
        layout.check(resolved, parse_manifest(reader.manifest(resolved.digest), resolved.where))

    with progress.shown() as bars:
        found = pull(app.spec.artifact, access, bars, runs_in_a_cluster)
    entrypoint = f"/{found.program}" if found.program else ""
    return status(app, found.digest, found.wasm, inspect(found.path.read_bytes()), entrypoint)


def local(place: Reference, app: WasmApp, wanted: Wanted) -> ArtifactStatus:
    """What `wherry push` would make of the file. Raises InputError where the app names something else."""
    assert wanted.wasm is not None  # noqa: S101  only called with one
    _, inspection, packed = prepared(wanted.wasm, wanted.access.wasm_limit)
    digest = packed.manifest.digest
    if place.digest not in ("", digest):
        raise InputError(f"--wasm {wanted.wasm}: pushed, it is {digest}, and spec.artifact names {place.digest}")
    return status(app, digest, packed.layer.digest, inspection)


def status(app: WasmApp, digest: str, wasm: str, found: Inspection, entrypoint: str = "") -> ArtifactStatus:
    """What the operator would know of the artifact."""
    return ArtifactStatus(
        reference=app.spec.artifact,
        digest=digest,
        wasm=wasm,
        entrypoint=entrypoint,
        kind=found.kind,
        world=found.world,
        imports=found.imports,
        exports=found.exports,
        size=found.size,
    )


def unknown(app: WasmApp) -> Iterator[str]:
    """What the operator does beyond this, for this app."""
    if app.spec.env_from:
        yield "the operator adds the variables of spec.envFrom to the plan"
    if app.spec.verify:
        yield "the operator checks the signatures of spec.verify first"


def show(found: Sequence[Manifest], as_json: bool) -> None:
    """As kubectl takes it from a pipe."""
    if as_json:
        click.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, ensure_ascii=False))
    else:
        click.echo(dump(found), nl=False)
