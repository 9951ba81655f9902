"""`wherry verify`: whether enough of the given keys have signed an artifact."""

from __future__ import annotations

from pathlib import Path

import click

from wherry.oci.access import Access
from wherry.oci.policy import Policy
from wherry_cli import options
from wherry_cli.keys import keys_of
from wherry_cli.located import located
from wherry_cli.show import show


@click.command("verify")
@click.argument("reference")
@click.option("--key", "keys", type=options.FILE, multiple=True, required=True, help="A public key that is trusted.")
@click.option(
    "--threshold", type=click.IntRange(min=1), default=1, show_default=True, help="How many must have signed."
)
@options.registry
@options.as_json
def command(reference: str, keys: tuple[Path, ...], threshold: int, access: Access, as_json: bool) -> None:
    """Check an artifact's signatures against public keys, offline.

    Nothing but the registry is asked. Exit code 1 when too few of the keys have signed.
    """
    policy = Policy(keys_of(keys), threshold)
    with located(reference, access) as (repository, resolved):
        verified = policy.verified(repository, resolved)
    signers = [key.name for key in verified.signers]
    show({"reference": reference, "digest": verified.digest, "signers": signers}, as_json)
