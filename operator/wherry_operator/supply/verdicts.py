"""How it is told: pure, from what was found or went wrong to the verdicts of Resolved and Verified."""

from __future__ import annotations

from collections.abc import Sequence

from wherry.errors import ArtifactError, InvalidReference, LayoutNotRunnable, RegistryError, WherryError
from wherry.oci.cache import Unusable
from wherry.spec.status import ArtifactStatus, Truth
from wherry_operator.conditions import Verdict
from wherry_operator.supply.demands import Demand

_LONGEST = 1024
_REASONS = {
    "auth": "Unauthorized",
    "denied": "Unauthorized",
    "notfound": "NotFound",
    "toobig": "ArtifactRefused",
    "digest": "ArtifactRefused",
}
"""By kind of RegistryError; every other is an outage."""
_CURES = {
    "Unauthorized": "name a Secret with a login that may pull it in spec.pull.secrets",
    "NoScratchSpace": "ask who runs the operator",
}
NOT_ASKED = Verdict("Unknown", "NotAsked", "neither the app nor the cluster asks for a signature")
NOT_CHECKED = Verdict("Unknown", "NotChecked", "there is no artifact yet whose signatures could be looked at")
NOT_TRIED = Verdict("Unknown", "NotTried", "the registry is not asked before the keys of spec.verify are there")


def resolved(digest: str) -> Verdict:
    """A digest that may run."""
    return Verdict("True", "Resolved", digest)


def verified(artifact: ArtifactStatus) -> Verdict:
    """What an accepted artifact was accepted for."""
    if not artifact.signed_by:
        return NOT_ASKED
    return Verdict("True", "Verified", f"signed by {', '.join(artifact.signed_by)}")


def unchecked(demands: Sequence[Demand]) -> Verdict:
    """Nobody got as far as to look at signatures."""
    return NOT_CHECKED if demands else NOT_ASKED


def unresolved(error: WherryError, *, kept: bool) -> Verdict:
    """Why there is no new digest. kept: one from before stays, so that an outage leaves the app resolved."""
    reason = reason_of(error)
    status: Truth = "True" if kept and reason == "RegistryUnavailable" else "False"
    cure = _CURES.get(reason, error.cure)
    return Verdict(status, reason, _cut(f"{error.message}; {cure}" if cure else error.message))


def refused(error: WherryError) -> Verdict:
    """Signatures that are not those asked for."""
    return Verdict("False", "SignatureRefused", _cut(str(error)))


def reason_of(error: WherryError) -> str:
    """The reason of Resolved that an error means."""
    match error:
        case RegistryError():
            return _REASONS.get(error.kind, "RegistryUnavailable")
        case LayoutNotRunnable():
            return "LayoutNotRunnable"
        case ArtifactError():
            return "ArtifactRefused"
        case InvalidReference():
            return "InvalidReference"
        case Unusable():
            return "NoScratchSpace"
    return "RegistryUnavailable"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
