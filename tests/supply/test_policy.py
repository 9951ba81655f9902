"""The policy's document: every wrong field told, and the first rule that names a registry counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oci.signature.signers import ALGORITHMS, public_pem_of
from wherry.errors import InputError
from wherry.oci.reference import parse as reference
from wherry_operator.supply import policy

KEY = public_pem_of(ALGORITHMS["Ed25519"]()).decode()
PEM = KEY.replace("\n", "\\n")

WRONG = [
    ("[]", "policy: got 0 items, expected 1 to 256"),
    ("{}", "policy: got a mapping, expected a list"),
    ("- registries: [", "line 1: got text that is no YAML"),
    ("[]\n---\n[]", "policy: got 2 documents, expected one, a list of rules"),
    ("[{refuse: true}]", "policy[0].registries: got nothing"),
    ("[{registries: [], refuse: true}]", "policy[0].registries: got 0 items"),
    ("[{registries: ['a b'], refuse: true}]", 'policy[0].registries[0]: got "a b", expected host[:port][/path]'),
    ("[{registries: ['ghcr.io/*'], refuse: true}]", "policy[0].registries[0]"),
    ("[{registries: [ghcr.io]}]", "policy[0]: got none of them, expected exactly one of keys, unsigned, refuse"),
    ("[{registries: [ghcr.io], refuse: false}]", "policy[0].refuse: got the boolean false, expected true"),
    ("[{registries: [ghcr.io], refuse: true, unsigned: true}]", "policy[0]: got unsigned and refuse"),
    ("[{registries: [ghcr.io], keys: [x]}]", 'policy[0].keys[0]: got "x", expected a public key in PEM'),
    ("[{registries: [ghcr.io], refuse: true, treshold: 1}]", "policy[0].treshold: got an unknown field"),
    (f'[{{registries: [ghcr.io], keys: ["{PEM}"], threshold: 2}}]', "policy[0].threshold: got 2, expected at most"),
    (f'[{{registries: [ghcr.io], keys: ["{PEM}", "{PEM}"], threshold: 2}}]', "at most 1 distinct keys"),
    (
        '[{registries: [ghcr.io], keys: ["-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----"]}]',
        "policy[0].keys[0]: got a block of PUBLIC KEY that cannot be read",
    ),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_wrong_policy_is_refused_where_it_is_wrong(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        policy.parse(text, "policy.yaml")
    assert told in caught.value.message
    assert caught.value.message.startswith("policy.yaml: ")
    assert caught.value.cure == "mend the policy"


def test_every_wrong_field_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        policy.parse("[{registries: [1], refuse: true}, {registries: ['*'], keys: []}]", "p")
    assert [line.partition(": got")[0] for line in caught.value.message.splitlines()] == [
        "p: policy[0].registries[0]",
        "p: policy[1].keys",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        policy.load(tmp_path / "policy.yaml")


RULES = f"""
- registries: [ghcr.io/acme/lab]
  refuse: true
- registries: [ghcr.io/acme, "*.example.com", docker.io]
  keys: ["{PEM}"]
- registries: [registry.test:5000]
  unsigned: true
"""

MATCHES = [
    ("ghcr.io/acme/lab/x", "ghcr.io/acme/lab"),
    ("ghcr.io/acme/lab", "ghcr.io/acme/lab"),
    ("ghcr.io/acme/x", "ghcr.io/acme"),
    ("GHCR.IO/acme/x", "ghcr.io/acme"),
    ("ghcr.io/acmeology/x", ""),
    ("ghcr.io:443/acme/x", ""),
    ("a.example.com/x", "*.example.com"),
    ("a.b.example.com/x", ""),
    ("example.com/x", ""),
    ("hello", "docker.io"),
    ("registry.test:5000/x", "registry.test:5000"),
    ("registry.test/x", ""),
]


@pytest.mark.parametrize(("text", "pattern"), MATCHES)
def test_the_first_rule_that_names_the_registry_counts(text: str, pattern: str) -> None:
    found = policy.rule_for(policy.parse(RULES, "p"), reference(text))
    assert (found[0] if found else "") == pattern


def test_a_star_alone_names_every_registry() -> None:
    rules = policy.parse("[{registries: ['*'], refuse: true}]", "p")
    assert all(policy.rule_for(rules, reference(text)) for text, _ in MATCHES)
