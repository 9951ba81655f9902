"""Conditions of a WasmApp, their reasons and what each means: API, and the source of docs/conditions.md."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.spec.status import ConditionType, Truth

REASONS: dict[ConditionType, dict[str, str]] = {
    "Resolved": {
        "Resolved": "The reference names a runnable artifact; the message is its digest.",
        "RegistryUnavailable": "The registry or the way to it fails. Unknown, not False, while an artifact from "
        "earlier stays. Asked again later and later, at least every minute and a half.",
        "NotFound": "There is no such repository, tag or digest. Asked again at least every eight minutes.",
        "Unauthorized": "The registry does not let the app's pull secrets read the artifact, or nobody without them.",
        "LayoutNotRunnable": "The artifact is in a layout that does not run in a cluster. The message says the cure.",
        "ArtifactRefused": "The artifact is damaged, too large or no WebAssembly.",
        "InvalidReference": "spec.artifact is no reference of a registry.",
        "PullSecretMissing": "A Secret that the app names for its registry is not there.",
        "PullSecretInvalid": "A pull secret is not of a form that Docker and the kubelet read.",
        "PolicyRefused": "The cluster's policy refuses the registry, or has no rule that names it.",
        "NotTried": "Nothing is asked of the registry while keys are missing or wrong: see Verified.",
        "NoScratchSpace": "The operator has no room on its disk to look at the artifact.",
    },
    "Verified": {
        "Verified": "Enough of the trusted keys have signed the digest; the message names them.",
        "NotAsked": "Neither the app nor the cluster's policy asks for a signature.",
        "NotChecked": "There is no artifact yet whose signatures could be looked at.",
        "SignatureRefused": "Too few of the trusted keys have signed; nothing new runs. Asked again at least every "
        "eight minutes, because a signature may follow its artifact.",
        "KeyMissing": "A Secret or ConfigMap with a trusted key is not there, or lacks the key. Nothing new runs.",
        "KeyInvalid": "A trusted key is no public key, or there are fewer keys than the threshold. Nothing new runs.",
    },
}
"""By condition, every reason that it may have, with a sentence for the reference."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is so: the part of a condition that does not depend on when. reason is one of REASONS."""

    status: Truth
    reason: str
    message: str = ""
