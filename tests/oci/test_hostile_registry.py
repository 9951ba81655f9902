"""A registry that lies is refused with one typed error, in bounded time, and learns and leaves nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.hostile_handler import GOOD, WASM, Hostile, Seen
from tests.support.hostile_registry import hostile_registry
from wherry.errors import ArtifactError, LayoutNotRunnable, RegistryError, WherryError
from wherry.oci.access import Access, opened
from wherry.oci.credentials import Credential, Keychain
from wherry.oci.pull import pull
from wherry.oci.push import push
from wherry.oci.reference import parse as reference
from wherry.oci.registries import Entry
from wherry.oci.transport.patience import Patience

PATIENCE = Patience(connect=4, idle=2, small=5, blob=5, attempts=2)
"""Short enough that what is timed out twice still ends within WITHIN."""
WITHIN = 10.0


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    with hostile_registry() as server:
        yield server


def attempt(hostile: Hostile, case: str, tmp_path: Path, target: str = ":v1") -> tuple[WherryError, list[Seen]]:
    """The error of a pull with a password, and what both servers saw."""
    keychain = Keychain({hostile.host: Credential("alice", "s3cret")})
    access = Access(tmp_path / "cache", keychain=keychain, patience=PATIENCE)
    began = time.monotonic()
    with pytest.raises(WherryError) as caught:
        pull(f"{hostile.host}/t/{case}{target}", access)
    assert time.monotonic() - began < WITHIN
    assert list((tmp_path / "cache" / "tmp").iterdir()) == []
    return caught.value, [seen for seen in hostile.seen if f"/t/{case}/" in seen.path or seen.server == "other"]


REGISTRY_FAULTS = {
    "e400": "rejected",
    "e401": "auth",
    "e401-basic": "auth",
    "e401-digest": "auth",
    "e403": "denied",
    "e404": "notfound",
    "e418": "rejected",
    "e429": "ratelimited",
    "e500": "server",
    "e502": "server",
    "e503": "server",
    "silent": "timeout",
    "gone": "unreachable",
    "garbage": "unreachable",
    "drip-head": "timeout",
    "endless-head": "unreachable",
    "manifest-redirect": "rejected",
    "manifest-drip": "timeout",
    "manifest-big": "toobig",
    "manifest-gzip": "protocol",
    "manifest-lies": "digest",
    "config-huge": "toobig",
    "config-tampered": "digest",
    "blob-404": "notfound",
    "blob-500": "server",
    "blob-tampered": "digest",
    "blob-short": "digest",
    "blob-long": "toobig",
    "blob-gzip": "protocol",
    "blob-cut": "truncated",
    "blob-cut-chunks": "truncated",
    "blob-cut-close": "truncated",
    "blob-endless": "toobig",
    "blob-drip": "timeout",
    "size-less": "toobig",
    "size-more": "digest",
    "redirect-plain": "policy",
    "redirect-neighbour": "policy",
    "redirect-file": "policy",
    "redirect-user": "policy",
    "redirect-loop": "policy",
    "redirect-private": "policy",
    "redirect-metadata": "policy",
    "redirect-loopback": "policy",
    "redirect-nowhere": "protocol",
    "realm-other": "policy",
    "realm-other-https": "policy",
    "realm-neighbour": "policy",
    "realm-user": "policy",
    "realm-file": "policy",
    "realm-none": "policy",
    "token-html": "protocol",
    "token-list": "protocol",
    "token-none": "protocol",
    "token-big": "protocol",
    "token-split": "protocol",
    "token-401": "auth",
    "token-429": "ratelimited",
}

DOCUMENT_FAULTS = [
    "manifest-html",
    "manifest-html-typed",
    "manifest-list",
    "manifest-deep",
    "manifest-latin",
    "manifest-twice",
    "manifest-nan",
    "manifest-schema1",
    "manifest-other-type",
    "manifest-both",
    "manifest-annotations",
    "manifest-annotation-type",
    "manifest-layers-type",
    "manifest-layers-many",
    "manifest-no-config",
    "index-nested",
    "index-empty",
    "index-long",
    "digest-evil",
    "digest-other",
    "digest-upper",
    "size-negative",
    "size-bool",
    "size-float",
    "size-huge",
]


@pytest.mark.parametrize(("case", "kind"), REGISTRY_FAULTS.items())
def test_a_lying_registry_is_one_typed_error(case: str, kind: str, hostile: Hostile, tmp_path: Path) -> None:
    error, seen = attempt(hostile, case, tmp_path)
    assert isinstance(error, RegistryError)
    assert (error.kind, "localhost" in error.message) == (kind, True)
    assert [request for request in seen if request.server == "other"] == []
    assert "s3cret" not in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize("case", DOCUMENT_FAULTS)
def test_a_document_that_is_wrong_names_the_field(case: str, hostile: Hostile, tmp_path: Path) -> None:
    error, _ = attempt(hostile, case, tmp_path)
    assert isinstance(error, ArtifactError)
    assert case.split("-", maxsplit=1)[0] in error.message


def test_several_wasm_layers_are_refused_by_the_layout(hostile: Hostile, tmp_path: Path) -> None:
    error, _ = attempt(hostile, "manifest-layers-two", tmp_path)
    assert isinstance(error, LayoutNotRunnable)
    assert "cncf" in error.message


def test_a_manifest_that_is_not_the_one_asked_for_is_refused(hostile: Hostile, tmp_path: Path) -> None:
    error, _ = attempt(hostile, "ok", tmp_path, "@sha256:" + "0" * 64)
    assert isinstance(error, RegistryError)
    assert error.kind == "digest"


def test_an_honest_repository_of_the_same_server_is_pulled(hostile: Hostile, tmp_path: Path) -> None:
    assert pull(f"{hostile.host}/t/ok:v1", Access(tmp_path)).layout == "cncf"


def test_a_refusal_that_no_retry_helps_is_not_tried_again(hostile: Hostile, tmp_path: Path) -> None:
    error, seen = attempt(hostile, "e404", tmp_path)
    assert len({request.path for request in seen if "/e404/" in request.path}) == 1
    assert isinstance(error, RegistryError)
    assert not error.retryable


def test_a_long_retry_after_is_told_and_not_waited_for(hostile: Hostile, tmp_path: Path) -> None:
    error, _ = attempt(hostile, "e429", tmp_path)
    assert isinstance(error, RegistryError)
    assert (error.retryable, error.retry_after) == (True, 3600.0)


def test_a_token_server_of_the_same_origin_gets_the_password_and_the_registry_the_token(
    hostile: Hostile, tmp_path: Path
) -> None:
    keychain = Keychain({hostile.host: Credential("alice", "s3cret")})
    pull(f"{hostile.host}/t/realm-own:v1", Access(tmp_path, keychain=keychain))
    sent = {request.authorization for request in hostile.seen if "/realm-own/" in request.path}
    assert sent == {"", "Bearer stolen"}


def test_no_password_reaches_another_server_in_any_case(hostile: Hostile, tmp_path: Path) -> None:
    for case in ("redirect-plain", "redirect-loopback", "realm-other"):
        attempt(hostile, case, tmp_path / case)
    assert [request for request in hostile.seen if request.server == "other"] == []


def test_a_body_in_chunks_is_a_body_like_any_other(hostile: Hostile, tmp_path: Path) -> None:
    assert pull(f"{hostile.host}/t/blob-chunked:v1", Access(tmp_path)).path.read_bytes() == WASM


def test_bytes_may_come_from_another_host_by_https_and_it_sees_no_credential(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with hostile_registry(certificate) as server:
        registries = {server.host: Entry(ca=certificate.pem, allow_private=True)}
        keychain = Keychain({server.host: Credential("alice", "s3cret")})
        access = Access(tmp_path / "cache", registries, keychain, PATIENCE)
        assert pull(f"{server.host}/t/redirect-storage:v1", access).path.read_bytes() == WASM
    assert [seen.authorization for seen in server.seen if seen.server == "other"] == [""]
    assert any(seen.authorization.startswith("Basic ") for seen in server.seen if "/blobs/" in seen.path)


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("upload-elsewhere", "policy"),
        ("upload-nowhere", "policy"),
        ("upload-refused", "rejected"),
        ("upload-changed", "digest"),
        ("e401-basic", "auth"),
        ("e503", "server"),
        ("silent", "timeout"),
    ],
)
def test_a_push_to_a_lying_registry_is_one_typed_error(
    case: str, kind: str, hostile: Hostile, wasm: Path, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError) as caught:
        push(wasm, f"{hostile.host}/t/{case}:v1", Access(tmp_path, patience=PATIENCE))
    assert (caught.value.kind, hostile.host in caught.value.message) == (kind, True)
    assert [seen for seen in hostile.seen if seen.server == "other"] == []


def test_an_upload_session_may_carry_a_query_of_its_own(hostile: Hostile, wasm: Path, tmp_path: Path) -> None:
    push(wasm, f"{hostile.host}/t/upload-ok:v1", Access(tmp_path))
    puts = [seen.path for seen in hostile.seen if seen.method == "PUT" and "upload-ok/blobs" in seen.path]
    assert all("?a=b&digest=sha256:" in path for path in puts)
    assert len(puts) == 2


def test_the_referrers_api_is_used_where_there_is_one(hostile: Hostile, tmp_path: Path) -> None:
    access = Access(tmp_path, patience=PATIENCE)
    with opened(reference(f"{hostile.host}/t/referrers:v1"), access) as repository:
        assert [entry.digest for entry in repository.referrers(GOOD.manifest.digest)] == [GOOD.manifest.digest]


def test_a_referrers_api_that_answers_a_page_is_none_and_one_that_lies_is_refused(
    hostile: Hostile, tmp_path: Path
) -> None:
    access = Access(tmp_path, patience=PATIENCE)
    with opened(reference(f"{hostile.host}/t/referrers-html:v1"), access) as repository:
        assert repository.referrers(GOOD.manifest.digest) == ()
    lying = opened(reference(f"{hostile.host}/t/referrers-manifest:v1"), access)
    with lying as repository, pytest.raises(ArtifactError):
        repository.referrers(GOOD.manifest.digest)


def test_nothing_ambient_is_used_neither_proxy_nor_netrc_nor_login(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = base64.b64encode(b"alice:s3cret").decode()
    (tmp_path / ".netrc").write_text("default login alice password s3cret\n")
    (tmp_path / "config.json").write_text(json.dumps({"auths": {hostile.host: {"auth": login}}}))
    ambient = dict.fromkeys(("HOME", "DOCKER_CONFIG"), str(tmp_path)) | {"NETRC": str(tmp_path / ".netrc")}
    ambient |= {"ORAS_USER": "alice", "ORAS_PASS": "s3cret", "HTTP_PROXY": "http://localhost:1", "no_proxy": ""}
    for name, value in ambient.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RegistryError, match="none is given"):
        pull(f"{hostile.host}/t/e401-basic:ambient", Access(tmp_path / "cache", patience=PATIENCE))
    assert {seen.authorization for seen in hostile.seen if seen.path.endswith("/ambient")} <= {""}


def test_a_login_that_only_a_helper_keeps_is_told(hostile: Hostile, tmp_path: Path) -> None:
    access = Access(tmp_path, keychain=Keychain(helpers=True), patience=PATIENCE)
    with pytest.raises(RegistryError, match="credential helper, which is never run"):
        pull(f"{hostile.host}/t/e401-basic:v1", access)
