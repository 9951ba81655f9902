"""What real cosign releases wrote, offline: 2.5 by tag and as a referrer, 3.1 as a bundle. Public keys only."""

from pathlib import Path

import pytest

from tests.oci.signature.signers import empty, put, put_index, put_manifest, trusted, vector
from wherry.errors import VerificationError
from wherry.oci.folder import FolderRepository
from wherry.oci.signature import verify

HELLO = "sha256:64bf9dcc9518a076afa705a6d51747bbc31aee8fbbc8e002904e951edba0437f"
CLI13 = "sha256:2f34f93fefb73569e3c2b7cea516ebfbf051c48377ab4b564e473fe296babbcc"
BIG = "sha256:cfe57646648efcddc5cbefc222063f798a55bc2ee4cf208b0a3a5ac3a789ea2f"


def tag_of(digest: str, suffix: str = "") -> str:
    return digest.replace(":", "-") + suffix


@pytest.fixture
def repository(tmp_path: Path) -> FolderRepository:
    """All vectors as they lay in their registry."""
    repository = empty(tmp_path / "layout")
    put(
        repository, vector("hello.cosign25.simplesigning.payload"), vector("cli13.cosign25-oci11.simplesigning.payload")
    )
    put(repository, vector("hello.cosign25.att.dsse.json"), vector("big.cosign31.bundle.json"))
    put_manifest(repository, vector("hello.cosign25-tag-sig.manifest.json"), tag_of(HELLO, ".sig"))
    put_manifest(repository, vector("hello.cosign25-tag-att.manifest.json"), tag_of(HELLO, ".att"))
    put_manifest(repository, vector("cli13.cosign25-oci11-sig.manifest.json"))
    put_manifest(repository, vector("big.cosign31-bundle.manifest.json"))
    put_index(repository, vector("big.cosign31-fallback-index.json"), tag_of(BIG))
    return repository


@pytest.mark.parametrize(("digest", "key"), [(HELLO, "k25.pub"), (CLI13, "k25.pub"), (BIG, "k31.pub")])
def test_a_signature_by_cosign_is_accepted_with_its_key(repository: FolderRepository, digest: str, key: str) -> None:
    assert verify(repository, digest, trusted(key)).signers == trusted(key)


@pytest.mark.parametrize(("digest", "key"), [(HELLO, "k31.pub"), (CLI13, "k31.pub"), (BIG, "k25.pub")])
def test_a_signature_by_cosign_is_refused_with_another_key(repository: FolderRepository, digest: str, key: str) -> None:
    with pytest.raises(VerificationError, match="signature by another key"):
        verify(repository, digest, trusted(key))


def test_a_fallback_index_that_lies_about_the_type_hides_nothing(tmp_path: Path) -> None:
    assert b'"artifactType":"application/vnd.oci.empty.v1+json"' in vector("big.cosign31-fallback-index.json")
    repository = empty(tmp_path / "layout")
    put(repository, vector("big.cosign31.bundle.json"), vector("big.cosign31-bundle.manifest.json"))
    put_index(repository, vector("big.cosign31-fallback-index.json"), tag_of(BIG))
    assert verify(repository, BIG, trusted("k31.pub")).signers == trusted("k31.pub")


def test_a_signature_that_is_moved_to_another_artifact_is_refused(repository: FolderRepository) -> None:
    put_manifest(repository, vector("hello.cosign25-tag-sig.manifest.json"), tag_of(BIG, ".sig"))
    with pytest.raises(VerificationError, match=f"a signature of str '{HELLO[:50]}"):
        verify(repository, BIG, trusted("k25.pub"))


def test_a_referrer_of_another_artifact_is_not_one_of_this(tmp_path: Path) -> None:
    repository = empty(tmp_path / "layout")
    put(repository, vector("big.cosign31.bundle.json"), vector("big.cosign31-bundle.manifest.json"))
    put_index(repository, vector("big.cosign31-fallback-index.json"), tag_of(HELLO))
    with pytest.raises(VerificationError, match="found none"):
        verify(repository, HELLO, trusted("k31.pub"))


def test_an_attestation_is_no_signature(tmp_path: Path) -> None:
    """The right key said something about the artifact; it did not say that it may run."""
    repository = empty(tmp_path / "layout")
    put(repository, vector("hello.cosign25.att.dsse.json"))
    put_manifest(repository, vector("hello.cosign25-tag-att.manifest.json"), tag_of(HELLO, ".att"))
    with pytest.raises(VerificationError, match="found none"):
        verify(repository, HELLO, trusted("k25.pub"))


def test_a_payload_that_is_missing_is_said_and_refused(tmp_path: Path) -> None:
    repository = empty(tmp_path / "layout")
    put_manifest(repository, vector("hello.cosign25-tag-sig.manifest.json"), tag_of(HELLO, ".sig"))
    with pytest.raises(VerificationError, match="no blob sha256:e2ee9577"):
        verify(repository, HELLO, trusted("k25.pub"))
