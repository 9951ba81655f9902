"""Keys and the algorithms that they imply: ECDSA (P-256, P-384, P-521), RSA and Ed25519, from PEM.

The key alone decides the algorithm; nothing that comes with a signature is asked.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from wherry.errors import InputError

_Public: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_Private: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

RSA_BITS = range(2048, 8193)
_CURVES: dict[str, tuple[hashes.HashAlgorithm, ...]] = {
    "secp256r1": (hashes.SHA256(),),
    "secp384r1": (hashes.SHA256(), hashes.SHA384()),
    "secp521r1": (hashes.SHA256(), hashes.SHA512()),
}
"""Hashes by curve: what cosign takes for any key, and what is signed with, then the curve's own."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_EXPECTED = "a public key: ECDSA (P-256, P-384, P-521), RSA of 2048 bits and more, or Ed25519, in PEM"


@dataclass(frozen=True)
class PublicKey:
    """name: where it came from, for messages. fingerprint: sha256 of its DER form, base64, which is sigstore's hint."""

    name: str
    fingerprint: str
    _key: _Public = field(repr=False, compare=False)

    def verifies(self, signature: bytes, signed: bytes) -> bool:
        """Whether signature is this key's over exactly these bytes."""
        return any(_verifies(self._key, signature, signed, digest) for digest in _hashes(self._key))


@dataclass(frozen=True)
class PrivateKey:
    """A key to sign with, and the public half that verifies it."""

    public: PublicKey
    _key: _Private = field(repr=False, compare=False)

    def signs(self, signed: bytes) -> bytes:
        """A signature in the encoding that cosign reads: DER for ECDSA, PKCS#1 v1.5 for RSA."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(signed)
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(signed, ec.ECDSA(_hashes(self._key.public_key())[0]))


def public_keys(pem: bytes, name: str) -> tuple[PublicKey, ...]:
    """Every public key of a PEM file; name says where it is from. Raises InputError."""
    blocks = [(found[1].decode(), found[0]) for found in _BLOCK.finditer(pem)]
    if not blocks:
        raise InputError(f"{name}: got no PEM block, expected {_EXPECTED}")
    return tuple(_public(kind, block, name) for kind, block in blocks)


def private_key(pem: bytes, name: str, password: bytes | None = None) -> PrivateKey:
    """A PKCS#8 (or SEC1, PKCS#1) private key in PEM; password when it is encrypted. Raises InputError."""
    if b"SIGSTORE PRIVATE KEY" in pem or b"COSIGN PRIVATE KEY" in pem:
        raise InputError(f"{name}: got a key in cosign's own format, expected PKCS#8", cure=_MAKE_KEY)
    try:
        key = serialization.load_pem_private_key(pem, password)
    except TypeError:
        wanted = "a password" if password is None else "no password"
        raise InputError(f"{name}: this private key takes {wanted}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(
            f"{name}: got no private key that can be read, expected PKCS#8 in PEM", cure=_MAKE_KEY
        ) from None
    if not isinstance(key, _Private):
        raise InputError(f"{name}: got {type(key).__name__}, expected ECDSA, RSA or Ed25519", cure=_MAKE_KEY)
    return PrivateKey(_named(key.public_key(), name), key)


_MAKE_KEY = "make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out wherry.key`"


def _public(kind: str, block: bytes, name: str) -> PublicKey:
    if "PRIVATE" in kind:
        cure = "make the public half with `openssl pkey -in KEY -pubout`"
        raise InputError(f"{name}: got a private key, expected {_EXPECTED}", cure=cure)
    try:
        key = serialization.load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{name}: got a block of {kind} that cannot be read, expected {_EXPECTED}") from None
    return _named(key, name)


def _named(key: object, name: str) -> PublicKey:
    if not isinstance(key, _Public) or not _acceptable(key):
        raise InputError(f"{name}: got {_describe(key)}, expected {_EXPECTED}")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(name, base64.b64encode(hashlib.sha256(der).digest()).decode(), key)


def _acceptable(key: _Public) -> bool:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return not isinstance(key, rsa.RSAPublicKey) or key.key_size in RSA_BITS


def _describe(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"an ECDSA key on {key.curve.name}"
    return f"an RSA key of {key.key_size} bits" if isinstance(key, rsa.RSAPublicKey) else f"a {type(key).__name__}"


def _hashes(key: _Public) -> tuple[hashes.HashAlgorithm, ...]:
    return _CURVES[key.curve.name] if isinstance(key, ec.EllipticCurvePublicKey) else (hashes.SHA256(),)


def _verifies(key: _Public, signature: bytes, signed: bytes, digest: hashes.HashAlgorithm) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        else:
            key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
