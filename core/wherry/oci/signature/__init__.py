"""Who signed this artifact? Offline, with public keys, fail closed.

Two forms that cosign writes and reads: simple signing under a tag (`sha256-<hex>.sig`), and the sigstore bundle v0.3
as a referrer. Both name a manifest's digest, so that a signature holds wherever those bytes are found.
"""

from wherry.oci.signature.claim import Claim, Form
from wherry.oci.signature.finding import claims
from wherry.oci.signature.keys import PrivateKey, PublicKey, private_key, public_keys
from wherry.oci.signature.signing import sign
from wherry.oci.signature.verification import Verified, verify

__all__ = [
    "Claim",
    "Form",
    "PrivateKey",
    "PublicKey",
    "Verified",
    "claims",
    "private_key",
    "public_keys",
    "sign",
    "verify",
]
