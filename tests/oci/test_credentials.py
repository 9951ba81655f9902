"""Docker-style files: whose credential is used where, and that nothing secret is ever shown."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from wherry.errors import InputError
from wherry.oci.access import docker_config, user_keychain
from wherry.oci.credentials import Credential, Keychain, joined, load, matches, parse
from wherry.oci.reference import parse as reference


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def keychain(**auths: object) -> Keychain:
    return parse(json.dumps({"auths": auths}).encode(), "config.json")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"auth": basic("alice:pa:ss")}, Credential("alice", "pa:ss")),
        ({"username": "alice", "password": "x"}, Credential("alice", "x")),
        ({"auth": basic("<token>:"), "identitytoken": "t"}, Credential(identity_token="t")),
        ({"auth": basic("alice:x"), "email": None}, Credential("alice", "x")),
        ({}, None),
    ],
)
def test_every_form_of_an_entry_is_read(fields: object, expected: Credential | None) -> None:
    assert keychain(**{"ghcr.io": fields}).credential(reference("ghcr.io/acme/hello")) == expected


@pytest.mark.parametrize(
    ("key", "host", "repository", "expected"),
    [
        ("ghcr.io", "ghcr.io", "acme/hello", True),
        ("ghcr.io/acme", "ghcr.io", "acme/hello", True),
        ("ghcr.io/acme/hello", "ghcr.io", "acme/hello", True),
        ("ghcr.io/ac", "ghcr.io", "acme/hello", False),
        ("ghcr.io/other", "ghcr.io", "acme/hello", False),
        ("ghcr.io:443", "ghcr.io", "acme/hello", False),
        ("localhost:5000", "localhost:5000", "x", True),
        ("localhost:5000", "localhost:5001", "x", False),
        ("*.azurecr.io", "acme.azurecr.io", "x", True),
        ("*.azurecr.io", "a.b.azurecr.io", "x", False),
        ("*.io", "evil.azurecr.io", "x", False),
        ("index.docker.io/v1", "docker.io", "library/hello", True),
        ("docker.io", "docker.io", "library/hello", True),
        ("ghcr.io.evil.com", "ghcr.io", "x", False),
    ],
)
def test_entries_match_as_the_kubelet_matches_them(key: str, host: str, repository: str, expected: bool) -> None:
    assert matches(key, host, repository) is expected


def test_the_most_specific_entry_wins_whatever_the_order() -> None:
    auths = {"*.example.com": "glob", "a.example.com": "host", "a.example.com/acme": "path"}
    chain = keychain(**{key: {"username": user, "password": "x"} for key, user in auths.items()})
    found = [chain.credential(reference(f"{name}/hello")) for name in ("a.example.com/acme", "a.example.com/b")]
    found.append(chain.credential(reference("b.example.com/hello")))
    assert [credential.username for credential in found if credential] == ["path", "host", "glob"]


def test_of_several_files_the_first_that_knows_a_registry_counts() -> None:
    first = keychain(**{"a.example.com": {"username": "first", "password": "x"}})
    second = keychain(**{name: {"username": "second", "password": "x"} for name in ("a.example.com", "b.example.com")})
    chain = joined([first, second])
    found = [chain.credential(reference(f"{name}.example.com/hello")) for name in "ab"]
    assert [credential.username for credential in found if credential] == ["first", "second"]


def test_a_scheme_and_a_slash_at_the_end_do_not_matter() -> None:
    chain = keychain(**{"https://index.docker.io/v1/": {"auth": basic("a:b")}, "http://x.y/": {"auth": basic("c:d")}})
    assert chain.credential(reference("hello")) == Credential("a", "b")
    assert chain.credential(reference("x.y/hello")) == Credential("c", "d")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"auths": []}',
        '{"auths": {"h": 1}}',
        '{"auths": {"h": {"auth": 1}}}',
        '{"auths": {"h": {"auth": "%%"}}}',
        '{"auths": {"h": {"auth": "bm8gY29sb24="}}}',
    ],
)
def test_a_wrong_file_is_one_error_that_names_it(text: str) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        parse(text.encode(), "config.json")


def test_no_secret_is_in_a_message_or_a_representation() -> None:
    secret = basic("alicehunter2")
    with pytest.raises(InputError) as caught:
        keychain(h={"auth": secret})
    assert secret not in str(caught.value)
    shown = repr(keychain(h={"auth": basic("alice:hunter2")})) + repr(Credential(identity_token="hunter2"))
    assert "hunter2" not in shown


def test_helpers_are_noted_and_never_run(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"auths": {"ghcr.io": {}}, "credsStore": "desktop"}))
    chain = load(path)
    assert (chain.helpers, chain.credential(reference("ghcr.io/a"))) == (True, None)


def test_the_users_own_file_is_where_docker_keeps_it(tmp_path: Path) -> None:
    assert docker_config({}, tmp_path) == tmp_path / ".docker" / "config.json"
    assert docker_config({"DOCKER_CONFIG": "/x"}, tmp_path) == Path("/x/config.json")
    assert user_keychain({}, tmp_path) == Keychain()


def test_a_file_that_is_named_and_absent_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "config.json")
