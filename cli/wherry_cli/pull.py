"""`wherry pull`: an artifact's Wasm file, checked."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from wherry.errors import InputError
from wherry.oci.access import Access
from wherry.oci.pull import Artifact, pull
from wherry_cli import options, progress
from wherry_cli.show import show

UNNAMED = "app.wasm"


@click.command("pull")
@click.argument("reference")
@click.option("-o", "--output", type=options.FILE, help="Write here instead of the name that the publisher gave.")
@options.registry
@options.as_json
def command(reference: str, output: Path | None, access: Access, as_json: bool) -> None:
    """Fetch an artifact's Wasm file, checked byte for byte."""
    with progress.shown() as bars:
        artifact = pull(reference, access, bars)
    file = output or Path(file_name(artifact))
    write(artifact.path, file)
    names = {"reference": artifact.reference, "digest": artifact.digest, "layout": artifact.layout}
    show({**names, "wasm": artifact.wasm, "size": artifact.size, "file": str(file)}, as_json)


def file_name(artifact: Artifact) -> str:
    """A name in this folder: the publisher's, if it is one and no path to somewhere else."""
    name = artifact.title
    return name if name and name == Path(name).name and name.endswith(".wasm") else UNNAMED


def write(source: Path, target: Path) -> None:
    """A copy that is whole or not there. Raises InputError."""
    partial = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{target}: {error.strerror}", cure="name a file that can be written with -o") from None
