"""`wherry inspect`: what an artifact or a file is, who signed it, and what it will ask for."""

from __future__ import annotations

import click

from wherry.errors import ArtifactError
from wherry.oci.access import Access
from wherry.oci.pull import pull
from wherry.oci.resolve import Resolved
from wherry.oci.signature import Claim, claims
from wherry.oci.store import Repository
from wherry.wasm.capability import Ask, asks
from wherry.wasm.inspect import inspect
from wherry_cli import options, progress
from wherry_cli.show import Fact, of_module, show


@click.command("inspect")
@click.argument("reference", metavar="REFERENCE|FILE")
@options.registry
@options.as_json
def command(reference: str, access: Access, as_json: bool) -> None:
    """Show what an artifact or a file is, and what it will ask for.

    Signatures are listed as they are found; `wherry verify` checks them.
    """
    found: list[Claim | ArtifactError] = []

    def listed(repository: Repository, resolved: Resolved) -> None:
        found.extend(claims(repository, resolved.digest))

    with progress.shown() as bars:
        artifact = pull(reference, access, bars, listed)
    inspection = inspect(artifact.path.read_bytes())
    wanted = asks(inspection)
    facts: dict[str, Fact] = {
        "reference": artifact.reference,
        "digest": artifact.digest,
        "layout": artifact.layout,
        "wasm": artifact.wasm,
        **of_module(inspection),
        "annotations": artifact.annotations,
        "signatures": [signature(each) for each in found],
        "asks": [{"field": ask.field, "meaning": ask.meaning, "imports": ask.imports} for ask in wanted],
    }
    show(facts, as_json, {"signatures": list(map(signed, found)), "asks": list(map(asked, wanted))})


def signature(claim: Claim | ArtifactError) -> dict[str, str]:
    """One signature as it describes itself; `fault` says why one cannot be read."""
    if isinstance(claim, ArtifactError):
        return {"form": "", "key": "", "repository": "", "fault": claim.message}
    return {"form": claim.form, "key": claim.hint, "repository": claim.docker_reference, "fault": ""}


def signed(claim: Claim | ArtifactError) -> str:
    """The same for a person, who is told that nobody has checked it."""
    facts = signature(claim)
    if facts["fault"]:
        return f"unreadable: {facts['fault']}"
    whose = f" by key {facts['key']}" if facts["key"] else ""
    where = f" for {facts['repository']}" if facts["repository"] else ""
    return f"{facts['form']}{whose}{where}, not checked"


def asked(ask: Ask) -> str:
    """One ask for a person: what, and which field grants it."""
    return f"{ask.meaning} ({ask.field})" if ask.field else f"{ask.meaning}: {', '.join(ask.imports)}"
