"""Our own signatures, in folders and a real registry, and every way to forge one."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oci.signature.signers import ALGORITHMS, publish, put, put_manifest, signer, with_artifact
from tests.support.registry import registry
from wherry.errors import ArtifactError, InputError, RegistryError, VerificationError
from wherry.oci.access import opened
from wherry.oci.descriptor import Descriptor
from wherry.oci.folder import FolderRepository
from wherry.oci.manifest import MANIFEST, Manifest, parse_manifest
from wherry.oci.reference import parse
from wherry.oci.signature import Claim, Form, PrivateKey, bundle, claims, sign, simplesigning, verify
from wherry.oci.signature.finding import REFERRERS_LIMIT
from wherry.oci.store import SMALL_BLOB, Repository

FORMS: tuple[Form, ...] = ("simplesigning", "bundle")


@pytest.fixture
def signed(tmp_path: Path) -> tuple[FolderRepository, str]:
    """A folder with an artifact that nobody has signed yet."""
    return with_artifact(tmp_path / "layout")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_key_signs_its_public_half_verifies(
    signed: tuple[FolderRepository, str], algorithm: str, form: Form
) -> None:
    repository, digest = signed
    key = signer(algorithm)
    assert sign(repository, digest, key, (form,)) == (form,)
    assert verify(repository, digest, [key.public]).signers == (key.public,)
    with pytest.raises(VerificationError, match=f"a {form} signature by another key"):
        verify(repository, digest, [signer(algorithm).public])


def test_nobodys_signature_is_refused_with_the_cure(signed: tuple[FolderRepository, str]) -> None:
    repository, digest = signed
    with pytest.raises(VerificationError, match=rf"{digest}: .*found none; sign it with `wherry sign"):
        verify(repository, digest, [signer().public])


def test_signing_again_writes_nothing_and_another_key_is_added(signed: tuple[FolderRepository, str]) -> None:
    repository, digest = signed
    first, second = signer(), signer("Ed25519")
    assert sign(repository, digest, first) == FORMS
    assert sign(repository, digest, first) == ()
    assert sign(repository, digest, second) == FORMS
    for key in (first, second):
        assert verify(repository, digest, [key.public]).signers == (key.public,)
    assert len(list(claims(repository, digest))) == 4


def test_what_is_not_there_cannot_be_signed(signed: tuple[FolderRepository, str]) -> None:
    with pytest.raises(RegistryError, match="no sha256:0000"):
        sign(signed[0], "sha256:" + "0" * 64, signer())


def test_a_threshold_counts_keys_and_not_signatures(signed: tuple[FolderRepository, str]) -> None:
    repository, digest = signed
    first, second, third = signer(), signer("RSA"), signer("Ed25519")
    everybody = [key.public for key in (first, second, third)]
    sign(repository, digest, first)
    with pytest.raises(VerificationError, match=r"by 2 of the given keys, found signed by test\.key"):
        verify(repository, digest, everybody, threshold=2)
    sign(repository, digest, third, ("bundle",))
    assert verify(repository, digest, everybody, threshold=2).signers == (first.public, third.public)
    with pytest.raises(VerificationError, match="by 3 of the given keys"):
        verify(repository, digest, everybody, threshold=3)


@pytest.mark.parametrize(("times", "threshold"), [(0, 1), (1, 0), (1, -1), (1, 2), (2, 2)])
def test_a_policy_that_means_nothing_is_refused_before_anything_is_read(
    signed: tuple[FolderRepository, str], times: int, threshold: int
) -> None:
    """Two copies of a key are one key."""
    key = signer()
    sign(*signed, key)
    with pytest.raises(InputError, match=f"a threshold of {threshold}"):
        verify(*signed, [key.public] * times, threshold)


def test_a_payload_that_was_changed_after_signing_is_refused(signed: tuple[FolderRepository, str]) -> None:
    repository, digest = signed
    key = signer()
    signature = key.signs(simplesigning.payload_for("sha256:" + "1" * 64, repository.name))
    add_simplesigning(repository, digest, simplesigning.payload_for(digest, repository.name), signature)
    with pytest.raises(VerificationError, match="by another key"):
        verify(repository, digest, [key.public])


def test_one_bad_signature_does_not_hide_a_good_one(signed: tuple[FolderRepository, str]) -> None:
    repository, digest = signed
    key = signer()
    add_simplesigning(repository, digest, b"not json", b"x")
    sign(repository, digest, key)
    found = list(claims(repository, digest))
    assert [type(claim) for claim in found] == [ArtifactError, Claim, Claim]
    assert verify(repository, digest, [key.public]).signers == (key.public,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "atomic container signature"}, "expected cosign container image signature"),
        ({"image": {}}, "a signature of nothing"),
        ({"image": "x"}, "expected an object"),
    ],
)
def test_a_payload_of_another_kind_is_refused(
    signed: tuple[FolderRepository, str], change: dict[str, object], message: str
) -> None:
    repository, digest = signed
    key = signer()
    fields = json.loads(simplesigning.payload_for(digest, repository.name))
    fields["critical"] |= change
    payload = json.dumps(fields).encode()
    add_simplesigning(repository, digest, payload, key.signs(payload))
    with pytest.raises(VerificationError, match=message):
        verify(repository, digest, [key.public])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicateType": "https://slsa.dev/provenance/v1"}, "expected https://sigstore.dev/cosign/sign/v1"),
        ({"_type": "https://example.com/Statement"}, "_type"),
        ({"subject": []}, "got other digests"),
        ({"subject": [{"digest": {"sha256": "0" * 64}}]}, "got other digests"),
        ({"subject": [{"digest": {"sha512": "0" * 64}}, "x", {}]}, "got other digests"),
    ],
)
def test_a_statement_that_says_something_else_is_no_signature(
    signed: tuple[FolderRepository, str], change: dict[str, object], message: str
) -> None:
    repository, digest = signed
    key = signer()
    statement = json.dumps(json.loads(bundle.statement_for(digest)) | change).encode()
    add_bundle(repository, digest, signed_bundle(key, statement))
    with pytest.raises(VerificationError, match=message):
        verify(repository, digest, [key.public])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mediaType": "application/vnd.dev.sigstore.bundle.v0.2+json"}, "expected application/vnd.dev.sigstore"),
        ({"dsseEnvelope": None, "messageSignature": {}}, "payloadType"),
        ({"dsseEnvelope": {"payloadType": "text/plain"}}, "expected application/vnd.in-toto"),
    ],
)
def test_a_bundle_of_another_form_is_refused(
    signed: tuple[FolderRepository, str], change: dict[str, object], message: str
) -> None:
    repository, digest = signed
    key = signer()
    fields = json.loads(signed_bundle(key, bundle.statement_for(digest))) | change
    add_bundle(repository, digest, json.dumps(fields).encode())
    with pytest.raises(VerificationError, match=message):
        verify(repository, digest, [key.public])


def test_a_signature_over_the_bare_statement_is_refused(signed: tuple[FolderRepository, str]) -> None:
    """What is signed is the encoding of type and payload, so that no other protocol's signature fits."""
    repository, digest = signed
    key = signer()
    statement = bundle.statement_for(digest)
    add_bundle(repository, digest, bundle.bundle_for(statement, key.signs(statement), key.public.fingerprint))
    with pytest.raises(VerificationError, match="by another key"):
        verify(repository, digest, [key.public])


def test_a_payload_above_the_limit_is_not_fetched(signed: tuple[FolderRepository, str]) -> None:
    repository, digest = signed
    add_bundle(repository, digest, b" " * (SMALL_BLOB + 1))
    with pytest.raises(VerificationError, match=f"more than {SMALL_BLOB} bytes"):
        verify(repository, digest, [signer().public])


def test_many_other_referrers_do_not_crowd_out_a_signature(signed: tuple[FolderRepository, str]) -> None:
    repository, digest = signed
    for number in range(REFERRERS_LIMIT + 3):
        add_bundle(repository, digest, b"%d" % number, "application/spdx+json")
    key = signer()
    sign(repository, digest, key, ("bundle",))
    assert verify(repository, digest, [key.public]).signers == (key.public,)


@given(st.data())
def test_no_mutation_of_a_bundle_verifies_something_else(choice: st.DataObject) -> None:
    digest = "sha256:" + "ab" * 32
    key = KEY
    data = bytearray(signed_bundle(key, bundle.statement_for(digest)))
    for _ in range(choice.draw(st.integers(1, 3))):
        data[choice.draw(st.integers(0, len(data) - 1))] = choice.draw(st.integers(0, 255))
    try:
        claim = bundle.read(bytes(data), digest, "here")
    except ArtifactError:
        return
    if any(key.public.verifies(signature, claim.signed) for signature in claim.signatures):
        assert claim.signed == bundle.encode(bundle.STATEMENT_TYPE, bundle.statement_for(digest))


KEY = signer("Ed25519")


@pytest.mark.parametrize("form", FORMS)
def test_a_registry_keeps_signatures_and_refuses_what_was_damaged_on_its_disk(tmp_path: Path, form: Form) -> None:
    key = signer()
    with registry(tmp_path, password=True, tls=True) as server:
        reference = parse(f"{server.host}/demo/hello:v1")
        with opened(reference, server.access(tmp_path / "cache")) as repository:
            digest = publish(repository)
            assert sign(repository, digest, key, (form,)) == (form,)
            assert verify(repository, digest, [key.public]).signers == (key.public,)
            (claim,) = claims(repository, digest)
            assert isinstance(claim, Claim)
            layer = signature_layer(repository, digest, form)
            server.blob_file(layer.digest).write_bytes(b"x" * layer.size)
            with pytest.raises(VerificationError, match=layer.digest):
                verify(repository, digest, [key.public])


def signature_layer(repository: Repository, digest: str, form: Form) -> Descriptor:
    reference = simplesigning.tag_of(digest) if form == "simplesigning" else repository.referrers(digest)[0].digest
    return parse_manifest(repository.manifest(reference), "here").layers[0]


def add_simplesigning(repository: Repository, digest: str, payload: bytes, signature: bytes) -> None:
    """A `.sig` tag with one layer of these bytes, whatever they say."""
    annotations = {simplesigning.SIGNATURE: base64.b64encode(signature).decode()}
    put(repository, payload, b"{}")
    layer = Descriptor.of(payload, simplesigning.LAYER, annotations)
    manifest = Manifest(MANIFEST, Descriptor.of(b"{}", simplesigning.CONFIG), (layer,))
    put_manifest(repository, manifest.to_raw().data, simplesigning.tag_of(digest))


def add_bundle(repository: Repository, digest: str, blob: bytes, media_type: str = bundle.MEDIA_TYPE) -> None:
    """A referrer of digest with one layer of these bytes, whatever they say."""
    put(repository, blob, b"{}")
    manifest = Manifest(
        media_type=MANIFEST,
        config=Descriptor.of(b"{}", "application/vnd.oci.empty.v1+json"),
        layers=(Descriptor.of(blob, media_type),),
        artifact_type=media_type,
        subject=repository.manifest(digest).descriptor,
    )
    put_manifest(repository, manifest.to_raw().data)


def signed_bundle(key: PrivateKey, statement: bytes) -> bytes:
    signature = key.signs(bundle.encode(bundle.STATEMENT_TYPE, statement))
    return bundle.bundle_for(statement, signature, key.public.fingerprint)
