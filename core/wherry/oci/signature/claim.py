"""What a signature says before anybody has checked it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Literal

from wherry.oci.document import describe, refuse

Form = Literal["simplesigning", "bundle"]

SIGNATURES_LIMIT = 4
"""Signatures of one payload that are looked at."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Signatures over bytes that name the digest asked for.

    docker_reference: the repository that the signer wrote, "" in a bundle, which has none. hint: which key, as the
    signer says. Neither is believed; they are for people.
    """

    form: Form
    signatures: tuple[bytes, ...] = field(repr=False)
    signed: bytes = field(repr=False)
    docker_reference: str = ""
    hint: str = ""


def decode(value: object, where: str) -> bytes:
    """Base64 of RFC 4648 §4, with padding and nothing else. Raises ArtifactError."""
    if not isinstance(value, str):
        refuse(where, describe(value), "base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        refuse(where, describe(value), "base64")
