"""`wherry rollback`: go back to a digest that an app has run before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from wherry.errors import InputError
from wherry.spec.names import DIGEST
from wherry.spec.status import Revision, Status
from wherry_cli import options
from wherry_cli.show import show
from wherry_operator.status.written import last

if TYPE_CHECKING:
    from wherry.cluster.names import Manifest
    from wherry_cli.cluster import Cluster, Target

SHORTEST = 6
"""Digits of a digest that are enough to be one of those that are known."""


@click.command("rollback")
@click.argument("app")
@click.option("--to", "to", default="1", metavar="N|DIGEST", help="How many revisions back, or which digest.")
@options.as_json
@options.in_cluster
def command(app: str, to: str, as_json: bool, target: Target) -> None:
    """Go back to a revision that an app has run before.

    Without --to it is the one before. It holds until spec.artifact is changed; env and limits stay as they are.
    """
    found, digest = target.ask(lambda cluster: gone_back(cluster, app, to))
    status = last(found)
    known = next((each.reference for each in status.revisions if each.digest == digest), "")
    before = status.artifact.digest if status.artifact else ""
    artifact = found["spec"]["artifact"]
    told = {"app": app, "digest": digest, "reference": known, "before": before, "artifact": artifact}
    show(told, as_json, {"artifact": [f"{artifact}, for as long as spec.artifact says so"]})


async def gone_back(cluster: Cluster, app: str, to: str) -> tuple[Manifest, str]:
    """The app as it was, and the digest that spec.rollback now names. Raises WherryError."""
    found = await cluster.app(app)
    digest = chosen(app, last(found), to)
    await cluster.edit(found, {"rollback": {"digest": digest, "artifact": found["spec"]["artifact"]}})
    return found, digest


def chosen(app: str, status: Status, to: str) -> str:
    """The digest that `to` means. Raises InputError, which says what there is to go back to."""
    known = [each.digest for each in status.revisions]
    found = by_number(known, int(to)) if re.fullmatch("[0-9]{1,3}", to, re.ASCII) else by_digest(known, to)
    if not found:
        raise InputError(f"--to: got {to}, expected one of {listed(status.revisions)}", cure=f"wherry status {app}")
    if status.artifact and status.artifact.digest == found:
        raise InputError(f"--to: {found} is what runs already", cure=f"wherry status {app} lists what ran before")
    return found


def by_number(known: list[str], number: int) -> str:
    return known[number] if number < len(known) else ""


def by_digest(known: list[str], text: str) -> str:
    """A digest in full, known or not, or the beginning of exactly one that is known; "" for neither."""
    if re.fullmatch(DIGEST.pattern, text, re.ASCII):
        return text
    start = f"sha256:{text.removeprefix('sha256:')}"
    found = [each for each in known if each.startswith(start)]
    return found[0] if len(found) == 1 and len(start) >= len("sha256:") + SHORTEST else ""


def listed(revisions: tuple[Revision, ...]) -> str:
    """`1 (sha256:… of ghcr.io/acme/hello:v1)`: what is left without what runs now."""
    back = [f"{number} ({each.digest[:19]} of {each.reference})" for number, each in enumerate(revisions) if number]
    return ", ".join(back[:5]) or "the revisions, of which there is none to go back to"
