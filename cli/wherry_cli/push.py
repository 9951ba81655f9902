"""`wherry push`: a Wasm file into a registry or an OCI layout folder."""

from __future__ import annotations

from pathlib import Path

import click

from wherry.oci.access import Access
from wherry.oci.push import Pushed, push
from wherry_cli import options, progress
from wherry_cli.show import Facts, of_module, show, size


@click.command("push")
@click.argument("file", type=options.FILE)
@click.argument("reference")
@click.option("--annotation", "annotations", multiple=True, metavar="KEY=VALUE", help="An annotation of the manifest.")
@options.registry
@options.as_json
def command(file: Path, reference: str, annotations: tuple[str, ...], access: Access, as_json: bool) -> None:
    """Push a Wasm file to a registry or an OCI layout folder.

    REFERENCE is host/repository:tag or oci:FOLDER:TAG. The same bytes have the same digest, wherever and whenever.
    """
    with progress.shown() as bars:
        pushed = push(file, reference, access, options.pairs("--annotation", annotations), bars)
    show(facts(pushed), as_json, {"uploaded": [uploaded(pushed.uploaded)]})


def facts(pushed: Pushed) -> Facts:
    """What is now where."""
    return {
        "reference": pushed.reference,
        "digest": pushed.digest,
        "wasm": pushed.wasm,
        **of_module(pushed.inspection),
        "uploaded": pushed.uploaded,
    }


def uploaded(count: int) -> str:
    """Bytes that were sent, in words."""
    return size(count) if count else "nothing: it was all there"
