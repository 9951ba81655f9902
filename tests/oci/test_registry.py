"""Push and pull with real registries: plain, TLS with a password, TLS with a token server."""

from __future__ import annotations

import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.artifacts import MODULE, cncf
from tests.support.registry import Registry
from tests.support.token_server import PASSWORD, REFRESH_TOKEN, USER
from wherry.errors import RegistryError
from wherry.oci.access import Access, opened
from wherry.oci.credentials import Credential, Keychain
from wherry.oci.descriptor import Descriptor
from wherry.oci.digest import digest_of
from wherry.oci.manifest import INDEX, MANIFEST, Manifest, RawManifest
from wherry.oci.pull import pull
from wherry.oci.push import push
from wherry.oci.reference import parse
from wherry.oci.registries import Entry
from wherry.oci.store import Silent
from wherry.oci.transport.patience import Patience


class Counting:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.expected = 0
        self.moved = 0

    def total(self, label: str, size: int) -> None:
        self.expected += size

    def advance(self, size: int) -> None:
        self.moved += size


@pytest.mark.parametrize("kind", ["plain", "tls_password", "token"])
def test_what_is_pushed_is_pulled_from_every_kind_of_registry(
    kind: str, wasm: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Registry = request.getfixturevalue(kind)
    access = server.access(tmp_path / "cache")
    pushed = push(wasm, f"{server.host}/demo/hello:v1", access)
    artifact = pull(f"{server.host}/demo/hello:v1", access)
    assert artifact.path.read_bytes() == MODULE
    assert (artifact.digest, artifact.wasm) == (pushed.digest, digest_of(MODULE))
    assert (artifact.layout, artifact.title, artifact.size) == ("cncf", "hello.wasm", len(MODULE))


def test_the_same_bytes_pushed_twice_have_one_digest_and_send_nothing(
    plain: Registry, wasm: Path, access: Access
) -> None:
    first = push(wasm, f"{plain.host}/demo/twice:v1", access)
    second = push(wasm, f"{plain.host}/demo/twice:v1", access)
    assert first.uploaded > 0
    assert (second.digest, second.uploaded) == (first.digest, 0)


def test_another_tag_of_the_same_bytes_sends_the_manifest_alone(plain: Registry, wasm: Path, access: Access) -> None:
    first = push(wasm, f"{plain.host}/demo/tags:v1", access)
    second = push(wasm, f"{plain.host}/demo/tags:v2", access)
    assert second.digest == first.digest
    assert 0 < second.uploaded < first.uploaded - len(MODULE)


def test_progress_counts_what_moves_in_both_directions(plain: Registry, tmp_path: Path, access: Access) -> None:
    body = 3 << 20
    path = tmp_path / "big.wasm"
    path.write_bytes(MODULE + b"\0" + _leb(body + 1) + b"\0" + os.urandom(body))
    up, down = Counting(), Counting()
    pushed = push(path, f"{plain.host}/demo/big:v1", access, progress=up)
    artifact = pull(f"{plain.host}/demo/big:v1", access, progress=down)
    assert artifact.path.read_bytes() == path.read_bytes()
    assert down.moved == down.expected == pushed.size
    assert up.moved == up.expected > pushed.size


def test_what_is_cached_by_digest_needs_no_registry(plain: Registry, wasm: Path, access: Access) -> None:
    pushed = push(wasm, f"{plain.host}/demo/offline:v1", access)
    pull(f"{plain.host}/demo/offline:v1", access)
    entry = Entry(endpoint="http://localhost:1", plain_http=True)
    offline = replace(access, registries={plain.host: entry})
    assert pull(f"{plain.host}/demo/offline@{pushed.digest}", offline).path.read_bytes() == MODULE
    with pytest.raises(RegistryError, match="cannot reach localhost:1"):
        pull(f"{plain.host}/demo/offline:v1", offline)


def test_a_mirror_serves_a_reference_that_keeps_its_host(plain: Registry, wasm: Path, access: Access) -> None:
    push(wasm, f"{plain.host}/demo/mirrored:v1", access)
    mirror = Entry(endpoint=plain.host, plain_http=True, allow_private=True)
    mirrored = replace(access, registries={"registry.example.com": mirror})
    artifact = pull("registry.example.com/demo/mirrored:v1", mirrored)
    assert artifact.reference == "registry.example.com/demo/mirrored:v1"


def test_an_absent_tag_and_an_absent_repository_are_not_found(plain: Registry, wasm: Path, access: Access) -> None:
    push(wasm, f"{plain.host}/demo/there:v1", access)
    for reference in (f"{plain.host}/demo/there:v2", f"{plain.host}/demo/nowhere:v1"):
        with pytest.raises(RegistryError) as caught:
            pull(reference, access)
        assert (caught.value.kind, caught.value.retryable) == ("notfound", False)
        assert reference in caught.value.message


@pytest.mark.parametrize("kind", ["tls_password", "token"])
@pytest.mark.parametrize("credential", [Credential(USER, "wrong"), None])
def test_a_wrong_password_and_none_are_an_authentication_error(
    kind: str, credential: Credential | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Registry = request.getfixturevalue(kind)
    keychain = Keychain({server.host: credential} if credential else {})
    with pytest.raises(RegistryError) as caught:
        pull(f"{server.host}/private/hello:v1", server.access(tmp_path, keychain=keychain))
    assert caught.value.kind == "auth"
    assert "wrong" not in str(caught.value).replace("wrong password", "")


def test_a_certificate_that_nobody_vouches_for_is_a_tls_error(tls_password: Registry, access: Access) -> None:
    strict = replace(access, registries={tls_password.host: Entry(endpoint=f"https://{tls_password.host}")})
    with pytest.raises(RegistryError, match="caFile") as caught:
        pull(f"{tls_password.host}/demo/hello:v1", strict)
    assert caught.value.kind == "tls"


def test_https_asked_of_a_plain_registry_is_a_tls_error_with_the_cure(plain: Registry, access: Access) -> None:
    strict = replace(access, registries={plain.host: Entry(endpoint=f"https://{plain.host}")})
    with pytest.raises(RegistryError, match=r"does not speak TLS.*plainHTTP"):
        pull(f"{plain.host}/demo/hello:v1", strict)


def test_a_loopback_registry_is_asked_whether_it_speaks_tls(tls_password: Registry, access: Access) -> None:
    with pytest.raises(RegistryError) as caught:
        pull(f"{tls_password.host}/demo/hello:v1", access)
    assert caught.value.kind == "tls"


def test_an_identity_token_is_exchanged_and_no_password_is_needed(token: Registry, wasm: Path, tmp_path: Path) -> None:
    keychain = Keychain({token.host: Credential(identity_token=REFRESH_TOKEN)})
    access = token.access(tmp_path / "cache", keychain=keychain)
    push(wasm, f"{token.host}/demo/identity:v1", access)
    assert token.tokens
    assert ("POST", REFRESH_TOKEN) in token.tokens.asked
    assert pull(f"{token.host}/demo/identity:v1", access).wasm == digest_of(MODULE)


def test_a_public_repository_is_pulled_without_credentials_and_not_pushed_to(
    token: Registry, wasm: Path, tmp_path: Path
) -> None:
    push(wasm, f"{token.host}/public/hello:v1", token.access(tmp_path / "own"))
    anonymous = token.access(tmp_path / "cache", keychain=Keychain())
    assert pull(f"{token.host}/public/hello:v1", anonymous).wasm == digest_of(MODULE)
    with pytest.raises(RegistryError):
        push(wasm, f"{token.host}/public/hello:v2", anonymous)


def test_a_credential_on_the_command_line_goes_before_every_entry(
    tls_password: Registry, wasm: Path, tmp_path: Path
) -> None:
    keychain = Keychain({tls_password.host: Credential(USER, "wrong")}, everywhere=Credential(USER, PASSWORD))
    push(wasm, f"{tls_password.host}/demo/everywhere:v1", tls_password.access(tmp_path, keychain=keychain))


def test_a_blob_damaged_on_the_registrys_disk_is_refused(plain: Registry, tmp_path: Path, access: Access) -> None:
    data = cncf(MODULE + b"\0\x03\x01xy").put
    with opened(parse(f"{plain.host}/demo/damaged:v1"), access) as repository:
        data(repository)
    digest = digest_of(MODULE + b"\0\x03\x01xy")
    plain.blob_file(digest).write_bytes(bytes(len(MODULE) + 5))
    with pytest.raises(RegistryError) as caught:
        pull(f"{plain.host}/demo/damaged:v1", access)
    assert (caught.value.kind, list((tmp_path / "cache/tmp").iterdir())) == ("digest", [])


def test_a_manifest_with_a_subject_is_listed_as_its_referrer(plain: Registry, access: Access) -> None:
    with opened(parse(f"{plain.host}/demo/referred:v1"), access) as repository:
        subject = cncf().put(repository)
        referrer = _referrer(cncf().manifest)
        repository.put_blob(Descriptor.of(b"{}", ""), BytesIO(b"{}"), Silent())
        assert repository.referrers(subject) == ()
        repository.put_manifest(referrer)
        repository.put_manifest(referrer)
        assert [entry.digest for entry in repository.referrers(subject)] == [referrer.digest]
        assert repository.manifest(subject.replace(":", "-")).media_type == INDEX


def test_a_small_blob_is_refused_before_any_transfer_when_it_is_not_small(plain: Registry, access: Access) -> None:
    huge = Descriptor("", digest_of(b""), 2 << 20)
    with opened(parse(f"{plain.host}/demo/huge:v1"), access) as repository, pytest.raises(RegistryError) as caught:
        repository.blob(huge)
    assert caught.value.kind == "toobig"


def _referrer(subject: RawManifest) -> RawManifest:
    empty = Descriptor.of(b"{}", "application/vnd.oci.empty.v1+json")
    fields = Manifest(
        MANIFEST, empty, (empty,), artifact_type="application/vnd.example.note", subject=subject.descriptor
    )
    return fields.to_raw()


def _leb(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def test_all_verbs_of_an_opened_repository_share_a_deadline(plain: Registry, wasm: Path, access: Access) -> None:
    pushed = push(wasm, f"{plain.host}/demo/deadline:v1", access)
    late = replace(access, patience=Patience(whole=0.0))
    with opened(parse(f"{plain.host}/demo/deadline:v1"), late) as repository, pytest.raises(RegistryError) as caught:
        repository.manifest(pushed.digest)
    assert (caught.value.kind, "not done within 0 s" in caught.value.message) == ("timeout", True)
