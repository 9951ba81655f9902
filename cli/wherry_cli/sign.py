"""`wherry sign`: signatures with a private key, in the forms that cosign accepts."""

from __future__ import annotations

from pathlib import Path

import click

from wherry.oci.access import Access
from wherry.oci.signature import PrivateKey, private_key, sign
from wherry_cli import options
from wherry_cli.located import located
from wherry_cli.show import show


@click.command("sign")
@click.argument("reference")
@click.option("--key", type=options.FILE, required=True, help="The private key: PKCS#8 in PEM.")
@click.option("--key-password-file", type=options.FILE, help="The password of an encrypted key.")
@options.registry
@options.as_json
def command(reference: str, key: Path, key_password_file: Path | None, access: Access, as_json: bool) -> None:
    """Sign an artifact with a private key.

    What the tag names now is signed, by its digest. Signing again with the same key changes nothing.
    """
    signer = read_key(key, key_password_file)
    with located(reference, access) as (repository, resolved):
        digest = resolved.index_digest or resolved.digest
        written = sign(repository, digest, signer)
    facts = {"reference": reference, "digest": digest, "key": signer.public.fingerprint, "written": written}
    show(facts, as_json, {"written": list(written) or ["nothing: this key has signed it before"]})


def read_key(key: Path, password_file: Path | None) -> PrivateKey:
    """Raises InputError."""
    password = options.contents("--key-password-file", password_file).rstrip(b"\r\n") if password_file else None
    return private_key(options.contents("--key", key), str(key), password)
