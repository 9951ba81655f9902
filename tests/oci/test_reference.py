"""References: Docker's normalisation exactly where Docker does it, the distribution-spec's grammar everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import InvalidReference
from wherry.oci.reference import NAME_LIMIT, REFERENCE_LIMIT, Reference, parse

DIGEST = "sha256:" + "ab" * 32

hosts = st.from_regex(
    r"([a-z0-9]{1,8}\.){1,3}[a-z]{2,5}(:[1-9][0-9]{0,3})?|localhost(:[1-9][0-9]{0,3})?", fullmatch=True
)
repositories = st.from_regex(
    r"[a-z0-9]{1,9}((\.|_|__|-{1,3})[a-z0-9]{1,5})?(/[a-z0-9]{1,9}((\.|_|__|-{1,3})[a-z0-9]{1,5})?){0,3}",
    fullmatch=True,
)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ghcr.io/acme/hello:v1", Reference("ghcr.io", "acme/hello", "v1")),
        ("ghcr.io/acme/hello", Reference("ghcr.io", "acme/hello", "latest")),
        (f"ghcr.io/acme/hello@{DIGEST}", Reference("ghcr.io", "acme/hello", "", DIGEST)),
        (f"ghcr.io/acme/hello:v1@{DIGEST}", Reference("ghcr.io", "acme/hello", "v1", DIGEST)),
        ("hello", Reference("docker.io", "library/hello", "latest")),
        ("acme/hello:v1", Reference("docker.io", "acme/hello", "v1")),
        ("docker.io/hello", Reference("docker.io", "library/hello", "latest")),
        ("index.docker.io/acme/hello", Reference("docker.io", "acme/hello", "latest")),
        ("localhost/hello", Reference("localhost", "hello", "latest")),
        ("localhost:5000/a/b/c:t", Reference("localhost:5000", "a/b/c", "t")),
        ("127.0.0.1:5000/hello", Reference("127.0.0.1:5000", "hello", "latest")),
        ("[::1]:5000/hello:v1", Reference("[::1]:5000", "hello", "v1")),
        ("UPPER/hello", Reference("UPPER", "hello", "latest")),
        ("a.b/c__d/e---f.g:T_-.", Reference("a.b", "c__d/e---f.g", "T_-.")),
    ],
)
def test_a_reference_is_split_as_docker_splits_it(text: str, expected: Reference) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "repository"),
        ("ghcr.io/", "repository"),
        ("ghcr.io/Acme/hello", "repository"),
        ("ghcr.io/acme//hello", "repository"),
        ("ghcr.io/../hello", "repository"),
        ("ghcr.io/acme/hello:", "tag"),
        ("ghcr.io/acme/hello:.v1", "tag"),
        ("ghcr.io/acme/hello:" + "x" * 129, "tag"),
        ("ghcr.io/acme/hello:../../x", "repository"),
        ("ghcr.io/acme/hello@sha256:abc", "digest"),
        ("ghcr.io/acme/hello@" + DIGEST.upper(), "digest"),
        ("ghcr.io/acme/hello@", "digest"),
        ("ghcr.io:99999/hello", "port"),
        ("ghcr.io:0/hello", "port"),
        ("-bad.io/hello", "registry"),
        ("user@ghcr.io/hello", "digest"),
        ("https://ghcr.io/acme/hello", "registry"),
        ("ghcr.io/hello\n", "repository"),
        ("ghcr.io/h ello", "repository"),
        ("ghcr.io/" + "a" * NAME_LIMIT, "name of"),
        ("x" * (REFERENCE_LIMIT + 1), "characters"),
    ],
)
def test_a_wrong_reference_names_the_part_that_is_wrong(text: str, part: str) -> None:
    with pytest.raises(InvalidReference, match=part):
        parse(text)


@given(hosts, repositories, tags)
def test_what_is_written_from_parts_is_read_back(host: str, repository: str, tag: str) -> None:
    found = parse(f"{host}/{repository}:{tag}")
    assert found == Reference(host, repository, tag)
    assert parse(str(found)) == found
    assert parse(str(found.pinned(DIGEST))).target == DIGEST


@given(st.text(max_size=600))
def test_any_text_is_a_reference_or_one_typed_error(text: str) -> None:
    try:
        found = parse(text)
    except InvalidReference:
        return
    assert found.target
    assert parse(str(found)) == found
    assert not set(found.repository + found.tag) & set("\\%?#\n ")
