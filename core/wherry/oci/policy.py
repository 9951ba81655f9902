"""Which signatures an artifact must have before its bytes are fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wherry.errors import VerificationError
from wherry.oci.resolve import Resolved
from wherry.oci.store import Repository

if TYPE_CHECKING:
    from wherry.oci.signature import PublicKey, Verified


@dataclass(frozen=True)
class Policy:
    """At least `threshold` of the keys must have signed."""

    keys: tuple[PublicKey, ...]
    threshold: int

    def __call__(self, repository: Repository, resolved: Resolved) -> None:
        """Pass, or raise VerificationError: a gate of `wherry.oci.pull.pull`."""
        self.verified(repository, resolved)

    def verified(self, repository: Repository, resolved: Resolved) -> Verified:
        """Who signed the manifest, or the index that names it by digest. Raises VerificationError, InputError."""
        # Signatures bring a cryptography library along: a server that has nothing to verify would keep 4 MiB of it.
        from wherry.oci.signature import verify  # noqa: PLC0415

        try:
            return verify(repository, resolved.digest, self.keys, self.threshold)
        except VerificationError:
            if not resolved.index_digest:
                raise
            return verify(repository, resolved.index_digest, self.keys, self.threshold)
