"""Deciding: an artifact is accepted when enough distinct keys signed its digest, and refused in every other case.

A signature says nothing about how fresh an artifact is: whoever can move a tag can move it back to an older one that
was signed too. Pin the digest where that matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wherry.errors import ArtifactError, InputError, VerificationError
from wherry.oci.signature.claim import Claim
from wherry.oci.signature.finding import claims
from wherry.oci.signature.keys import PublicKey
from wherry.oci.store import Repository


@dataclass(frozen=True, slots=True)
class Verified:
    """A digest and the keys that were found to have signed it, in the order in which they were given."""

    digest: str
    signers: tuple[PublicKey, ...]


def verify(repository: Repository, digest: str, keys: Sequence[PublicKey], threshold: int = 1) -> Verified:
    """Check that at least `threshold` distinct keys signed the manifest `digest` of the repository.

    Raises VerificationError, which says what was found; InputError for a policy that nothing can satisfy; RegistryError
    when the registry cannot be read.
    """
    distinct = {key.fingerprint: key for key in keys}
    if not 1 <= threshold <= len(distinct):
        expected = "keys, and a threshold from 1 to their number"
        raise InputError(
            f"verify: got {len(distinct)} distinct keys and a threshold of {threshold}, expected {expected}"
        )
    signers: dict[str, PublicKey] = {}
    faults: list[str] = []
    for claim in claims(repository, digest):
        if isinstance(claim, ArtifactError):
            faults.append(claim.message)
        elif not (found := _signers(claim, distinct.values())):
            faults.append(f"a {claim.form} signature by another key")
        else:
            signers |= found
        if len(signers) >= threshold:
            return Verified(digest, tuple(key for key in distinct.values() if key.fingerprint in signers))
    raise _refused(f"{repository.name}@{digest}", signers, threshold, faults)


def _signers(claim: Claim, keys: Iterable[PublicKey]) -> dict[str, PublicKey]:
    pairs = ((key, signature) for key in keys for signature in claim.signatures)
    return {key.fingerprint: key for key, signature in pairs if key.verifies(signature, claim.signed)}


def _refused(name: str, signers: dict[str, PublicKey], threshold: int, faults: list[str]) -> VerificationError:
    found = [f"signed by {key.name}" for key in signers.values()] + faults[:8]
    more = f" and {len(faults) - 8} more" if len(faults) > 8 else ""
    return VerificationError(
        f"{name}: expected signatures by {threshold} of the given keys, found {'; '.join(found) or 'none'}{more}",
        cure="sign it with `wherry sign --key KEY` or give the public key of who signed it",
    )
