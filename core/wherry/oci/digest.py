"""Digests: `sha256:<64 hex>`, the only names that bytes have here."""

from __future__ import annotations

import hashlib
import re

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def is_digest(text: object) -> bool:
    """Whether text is a sha256 digest in its one canonical form (image-spec, descriptor.md § Digests)."""
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


def digest_of(data: bytes) -> str:
    """The digest of bytes in memory."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def hex_of(digest: str) -> str:
    """The 64 hex characters of a digest, as file names use them."""
    return digest.removeprefix("sha256:")
