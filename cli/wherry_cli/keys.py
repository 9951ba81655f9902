"""The keys that a command is given as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from wherry_cli.options import contents

if TYPE_CHECKING:
    from wherry.oci.signature import PublicKey


def keys_of(files: Iterable[Path]) -> tuple[PublicKey, ...]:
    """The public keys in PEM files. Raises InputError."""
    if not (files := tuple(files)):
        return ()
    # Signatures bring a cryptography library along, which a command without keys need not load.
    from wherry.oci.signature import public_keys  # noqa: PLC0415

    return tuple(key for file in files for key in public_keys(contents("--key", file), str(file)))
