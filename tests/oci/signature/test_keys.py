"""Keys: which are accepted, and what they verify."""

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.oci.signature.signers import ALGORITHMS, pem_of, public_pem_of, signer, trusted
from wherry.errors import InputError
from wherry.oci.signature import private_key, public_keys


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_verifies_its_own_signature_and_no_other_bytes(algorithm: str) -> None:
    key, other = signer(algorithm), signer(algorithm)
    signature = key.signs(b"payload")
    assert key.public.verifies(signature, b"payload")
    assert not key.public.verifies(signature, b"payloaD")
    assert not key.public.verifies(signature[:-1] + bytes([signature[-1] ^ 1]), b"payload")
    assert not key.public.verifies(b"", b"payload")
    assert not other.public.verifies(signature, b"payload")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_algorithm_accepts_a_signature_of_another(algorithm: str) -> None:
    key = signer(algorithm).public
    assert not any(key.verifies(signer(other).signs(b"payload"), b"payload") for other in ALGORITHMS)


def test_a_file_may_hold_several_keys() -> None:
    first, second = (ALGORITHMS[name]() for name in ("P-256", "Ed25519"))
    found = public_keys(public_pem_of(first) + b"\n" + public_pem_of(second), "two.pub")
    assert [key.name for key in found] == ["two.pub", "two.pub"]
    assert len({key.fingerprint for key in found}) == 2


def test_the_fingerprint_is_the_hint_that_sigstore_writes() -> None:
    assert trusted("k31.pub")[0].fingerprint == "FQxHC9jh8eghRFRiHS25DSEI+oe+JftJyOPhpnn4ps4="


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (b"", "got no PEM block"),
        (b"ssh-ed25519 AAAA", "got no PEM block"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be read"),
        (pem_of(ALGORITHMS["P-256"]()), "got a private key.*openssl pkey"),
        (public_pem_of(ec.generate_private_key(ec.SECP256K1())), "an ECDSA key on secp256k1"),
        (public_pem_of(rsa.generate_private_key(65537, 1024)), "an RSA key of 1024 bits"),
        (public_pem_of(dsa.generate_private_key(2048)), "DSAPublicKey"),
        (public_pem_of(x25519.X25519PrivateKey.generate()), "X25519PublicKey"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_cannot_be_trusted_is_refused_by_name(pem: bytes, message: str) -> None:
    with pytest.raises(InputError, match=rf"(?s)policy\.pub: .*{message}"):
        public_keys(pem, "policy.pub")


def test_an_encrypted_private_key_wants_its_password() -> None:
    key = ALGORITHMS["P-256"]()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    assert private_key(pem, "k", b"open").public.verifies(private_key(pem, "k", b"open").signs(b"x"), b"x")
    with pytest.raises(InputError, match="takes a password"):
        private_key(pem, "k")
    with pytest.raises(InputError, match="no private key that can be read"):
        private_key(pem, "k", b"wrong")
    with pytest.raises(InputError, match="takes no password"):
        private_key(pem_of(key), "k", b"open")


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (b"", "no private key that can be read.*openssl genpkey"),
        (b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----", "cosign's own format.*openssl genpkey"),
        (pem_of(x25519.X25519PrivateKey.generate()), "X25519PrivateKey"),
        (pem_of(ec.generate_private_key(ec.SECP256K1())), "secp256k1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_private_key_that_cannot_sign_is_refused_with_the_cure(pem: bytes, message: str) -> None:
    with pytest.raises(InputError, match=rf"(?s){message}"):
        private_key(pem, "wherry.key")
