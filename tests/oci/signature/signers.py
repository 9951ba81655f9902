"""Keys made for one test run, and repositories on disk to sign in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.artifacts import MODULE, built, wasm_config
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import digest_of
from wherry.oci.folder import FolderRepository
from wherry.oci.layouts import WASM_CONFIG, WASM_LAYER
from wherry.oci.manifest import INDEX, MANIFEST, RawManifest
from wherry.oci.signature import PrivateKey, PublicKey, private_key, public_keys
from wherry.oci.store import Repository, Silent

VECTORS = Path(__file__).parents[1] / "vectors"

ALGORITHMS: Mapping[str, Callable[[], PrivateKeyTypes]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


def pem_of(key: PrivateKeyTypes) -> bytes:
    """PKCS#8, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem_of(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signer(algorithm: str = "P-256", name: str = "test.key") -> PrivateKey:
    """A new key."""
    return private_key(pem_of(ALGORITHMS[algorithm]()), name)


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def trusted(name: str) -> tuple[PublicKey, ...]:
    """The public key of a vector."""
    return public_keys(vector(name), name)


def put(repository: Repository, *blobs: bytes) -> None:
    for blob in blobs:
        repository.put_blob(Descriptor.of(blob, ""), BytesIO(blob), Silent())


def put_manifest(repository: Repository, data: bytes, tag: str = "", media_type: str = MANIFEST) -> None:
    repository.put_manifest(RawManifest(media_type, data), tag)


def put_index(repository: Repository, data: bytes, tag: str) -> None:
    put_manifest(repository, data, tag, INDEX)


def empty(path: Path) -> FolderRepository:
    """A layout folder with nothing in it."""
    return FolderRepository(path, create=True)


def with_artifact(path: Path) -> tuple[FolderRepository, str]:
    """A layout folder that holds an artifact, and the artifact's digest."""
    repository = empty(path)
    return repository, publish(repository)


def publish(repository: Repository, wasm: bytes = MODULE) -> str:
    """Put an artifact and say its digest."""
    artifact = built("cncf", (WASM_CONFIG, wasm_config(wasm)), [(WASM_LAYER, wasm)])
    artifact.put(repository)
    return digest_of(artifact.manifest.data)
