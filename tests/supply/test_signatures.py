"""Who must have signed: the app's keys and the cluster's policy, both, and nothing runs without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.oci.signature.signers import ALGORITHMS, pem_of, public_pem_of
from tests.supply.world import World, after, app, publish, verdicts
from tests.support.artifacts import MODULE, cncf, docker_wasi, index, native_image
from tests.support.registry import Registry
from tests.support.registry_log import requests
from wherry.oci.access import opened
from wherry.oci.descriptor import Platform
from wherry.oci.digest import digest_of
from wherry.oci.reference import parse
from wherry.oci.signature import PrivateKey, private_key, sign
from wherry.spec.status import Revision, Status
from wherry_operator.supply import policy
from wherry_operator.supply.secrets import Kind

SECRET = {"secret": {"name": "signing", "key": "release.pub"}}
CONFIG_MAP = {"configMap": {"name": "signing", "key": "release.pub"}}


class Signer:
    """A key pair."""

    def __init__(self) -> None:
        key = ALGORITHMS["P-256"]()
        self.private: PrivateKey = private_key(pem_of(key), "test.key")
        self.public = public_pem_of(key)


@pytest.fixture
def alice() -> Signer:
    return Signer()


@pytest.fixture
def bob() -> Signer:
    return Signer()


def verify(*keys: Any, **more: Any) -> dict[str, Any]:
    return {"keys": list(keys or (SECRET,)), **more}


def named(name: str) -> dict[str, Any]:
    return {"secret": {"name": "signing", "key": name}}


@pytest.mark.parametrize("source", [SECRET, CONFIG_MAP], ids=["Secret", "ConfigMap"])
def test_a_signature_by_a_trusted_key_is_verified(
    source: dict[str, Any], world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    kind: Kind = "Secret" if source is SECRET else "ConfigMap"
    world.objects.data[kind, "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/{kind.lower()}:v1"
    publish(plain, tmp_path, reference, None, alice.private)
    supplied = world.supply(app(reference, verify=verify(source)))
    assert supplied.artifact
    assert verdicts(supplied) == (("True", "Resolved"), ("True", "Verified"))
    assert supplied.artifact.signed_by == (f"{kind}/signing/release.pub",)
    assert supplied.verified.message == f"signed by {kind}/signing/release.pub"


def test_an_artifact_that_nobody_signed_is_refused_before_its_bytes_are_fetched(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/nobody:v1"
    digest = publish(plain, tmp_path, reference)
    supplied = world.supply(app(reference, verify=verify()))
    assert supplied.artifact is None
    assert verdicts(supplied) == (("True", "Resolved"), ("False", "SignatureRefused"))
    assert supplied.verified.message.startswith(
        f"spec.verify: {plain.host}/signed/nobody@{digest}: expected signatures"
    )
    assert ("GET", f"/v2/signed/nobody/blobs/{digest_of(MODULE)}") not in requests(plain, "signed/nobody")


def test_a_signature_by_another_key_is_refused(
    world: World, plain: Registry, tmp_path: Path, alice: Signer, bob: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/other:v1"
    publish(plain, tmp_path, reference, None, bob.private)
    supplied = world.supply(app(reference, verify=verify()))
    assert (supplied.artifact, verdicts(supplied)[1]) == (None, ("False", "SignatureRefused"))


@pytest.mark.parametrize(("signers", "reason"), [(1, "SignatureRefused"), (2, "Verified")])
def test_the_threshold_counts_distinct_keys(
    signers: int, reason: str, world: World, plain: Registry, tmp_path: Path, alice: Signer, bob: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"a": alice.public, "b": bob.public}
    reference = f"{world.knows(plain)}/signed/threshold-{signers}:v1"
    publish(plain, tmp_path, reference, None, *[alice.private, bob.private][:signers])
    supplied = world.supply(app(reference, verify=verify(named("a"), named("b"), threshold=2)))
    assert verdicts(supplied)[1][1] == reason


def test_one_key_given_twice_does_not_reach_a_threshold_of_two(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"a": alice.public, "b": alice.public}
    reference = f"{world.knows(plain)}/signed/twice:v1"
    publish(plain, tmp_path, reference, None, alice.private)
    supplied = world.supply(app(reference, verify=verify(named("a"), named("b"), threshold=2)))
    assert (supplied.artifact, verdicts(supplied)[1]) == (None, ("False", "KeyInvalid"))
    assert "a threshold of 2 with 1 distinct keys" in supplied.verified.message


def test_a_key_that_is_missing_lets_nothing_new_run(world: World, plain: Registry) -> None:
    given = app(f"{world.knows(plain)}/signed/missing:v1", verify=verify())
    without = world.supply(given)
    assert verdicts(without) == (("Unknown", "NotTried"), ("False", "KeyMissing"))
    assert without.verified.message == (
        "spec.verify.keys[0]: Secret shop/signing is not there; create it with the key release.pub"
    )
    world.objects.data["Secret", "signing"] = {"other.pub": b""}
    assert "has no key release.pub" in world.supply(given).verified.message
    assert requests(plain, "signed/missing") == []


@pytest.mark.parametrize(
    ("pem", "told"),
    [(b"", "no PEM block"), (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be read")],
)
def test_a_key_that_is_none_is_named(pem: bytes, told: str, world: World, plain: Registry) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": pem}
    supplied = world.supply(app(f"{world.knows(plain)}/signed/invalid:v1", verify=verify()))
    assert (supplied.artifact, verdicts(supplied)[1]) == (None, ("False", "KeyInvalid"))
    assert "Secret/signing/release.pub" in supplied.verified.message
    assert told in supplied.verified.message


def test_a_private_key_is_refused_and_never_shown(world: World, plain: Registry) -> None:
    secret = pem_of(ALGORITHMS["P-256"]())
    world.objects.data["Secret", "signing"] = {"release.pub": secret}
    supplied = world.supply(app(f"{world.knows(plain)}/signed/private:v1", verify=verify()))
    assert verdicts(supplied)[1] == ("False", "KeyInvalid")
    assert secret.decode().splitlines()[1] not in str(supplied)


def test_a_changed_key_is_asked_for_again(
    world: World, plain: Registry, tmp_path: Path, alice: Signer, bob: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/changed:v1"
    publish(plain, tmp_path, reference, None, alice.private)
    given = app(reference, verify=verify())
    first = world.supply(given)
    world.objects.data["Secret", "signing"] = {"release.pub": bob.public}
    second = world.supply(after(given, first))
    assert first.artifact
    assert (second.artifact, verdicts(second)[1]) == (None, ("False", "SignatureRefused"))


def test_what_runs_stays_when_its_tag_moves_to_something_unsigned(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/moved:v1"
    publish(plain, tmp_path, reference, None, alice.private)
    first = world.supply(app(reference, verify=verify()))
    moved = publish(plain, tmp_path, reference, cncf(MODULE + b"\0\x01\0"))
    second = world.supply(after(app(reference, verify=verify(), annotations={"wherry.dev/refresh": "1"}), first))
    assert first.artifact
    assert second.artifact == first.artifact
    assert verdicts(second)[1] == ("False", "SignatureRefused")
    assert moved in second.verified.message


def test_a_signature_that_comes_after_its_artifact_is_found(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/late:v1"
    digest = publish(plain, tmp_path, reference)
    before = world.supply(app(reference, verify=verify()))
    with opened(parse(reference), plain.access(tmp_path)) as repository:
        sign(repository, digest, alice.private)
    later = world.supply(app(reference, verify=verify()))
    assert [verdicts(each)[1][1] for each in (before, later)] == ["SignatureRefused", "Verified"]
    assert before.again
    assert before.again < 3


def test_a_signature_of_the_index_counts_for_what_it_names(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/index:v1"
    both = index((docker_wasi(), Platform("wasi", "wasm")), (native_image(), Platform("linux", "amd64")))
    publish(plain, tmp_path, reference, both, alice.private)
    artifact = world.supply(app(reference, verify=verify())).artifact
    assert artifact
    assert artifact.signed_by == ("Secret/signing/release.pub",)


def test_a_revision_stays_signed_by_the_index_that_it_came_from(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/revision:v1"
    publish(plain, tmp_path, reference, index((docker_wasi(), None)), alice.private)
    given = app(reference, verify=verify())
    first = world.supply(given).artifact
    assert first
    pinned = f"{plain.host}/signed/revision@{first.digest}"
    revision = Revision(digest=first.digest, reference=reference, index=first.index, since=first.resolved_at or "")
    known = replace(given, status=Status(revisions=(revision,)))
    back = world.supply(known, pinned)
    assert back.artifact
    assert (back.artifact.digest, back.artifact.index) == (first.digest, first.index)
    assert verdicts(back)[1] == ("True", "Verified")
    assert verdicts(world.supply(given, pinned))[1] == ("False", "SignatureRefused")


def test_an_index_that_does_not_name_a_digest_lends_it_no_signature(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    world.objects.data["Secret", "signing"] = {"release.pub": alice.public}
    reference = f"{world.knows(plain)}/signed/liar:v1"
    other = publish(plain, tmp_path, reference, index((docker_wasi(), None)), alice.private)
    unsigned = publish(plain, tmp_path, reference, cncf())
    for named in (other, "sha256:" + "0" * 64):
        revision = Revision(digest=unsigned, reference=reference, index=named, since="2027-01-15T08:00:00Z")
        given = replace(app(reference, verify=verify()), status=Status(revisions=(revision,)))
        supplied = world.supply(given, f"{plain.host}/signed/liar@{unsigned}")
        assert (supplied.artifact, verdicts(supplied)[1]) == (None, ("False", "SignatureRefused"))


POLICY = """
- registries: [{host}/policy/closed]
  refuse: true
- registries: [{host}/policy/free]
  unsigned: true
- registries: ["{host}/policy"]
  keys: [{key}]
"""


def ruled(world: World, server: Registry, signer: Signer) -> str:
    """A policy for the server's repositories; its host."""
    text = POLICY.format(host=server.host, key=repr(signer.public.decode()).replace("'", '"'))
    world.policy = policy.parse(text, "test")
    return world.knows(server)


def test_the_policy_asks_for_signatures_of_a_registry(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    host = ruled(world, plain, alice)
    for name, signers in (("unsigned", ()), ("signed", (alice.private,))):
        publish(plain, tmp_path, f"{host}/policy/{name}:v1", None, *signers)
    refused, accepted = (world.supply(app(f"{host}/policy/{name}:v1")) for name in ("unsigned", "signed"))
    assert verdicts(refused)[1] == ("False", "SignatureRefused")
    assert refused.verified.message.startswith(f"the cluster's policy for {host}/policy: ")
    assert accepted.verified.message == f"signed by policy/{host}/policy/key-1"


def test_app_and_policy_are_both_obeyed(
    world: World, plain: Registry, tmp_path: Path, alice: Signer, bob: Signer
) -> None:
    host = ruled(world, plain, alice)
    world.objects.data["Secret", "signing"] = {"release.pub": bob.public}
    for name, signers in (("one", [bob]), ("two", [alice, bob])):
        publish(plain, tmp_path, f"{host}/policy/{name}:v1", None, *[each.private for each in signers])
    one, two = (world.supply(app(f"{host}/policy/{name}:v1", verify=verify())) for name in ("one", "two"))
    assert two.artifact
    assert one.artifact is None
    assert one.verified.message.startswith(f"the cluster's policy for {host}/policy: ")
    assert two.artifact.signed_by == (f"policy/{host}/policy/key-1", "Secret/signing/release.pub")


@pytest.mark.parametrize(
    ("repository", "told"),
    [
        ("policy/closed/x", "which the cluster's policy refuses by its rule for"),
        ("elsewhere/x", "which no rule of the cluster's policy names"),
    ],
)
def test_a_registry_that_the_policy_refuses_is_not_asked(
    repository: str, told: str, world: World, plain: Registry, alice: Signer
) -> None:
    host = ruled(world, plain, alice)
    supplied = world.supply(app(f"{host}/{repository}:v1"))
    assert verdicts(supplied) == (("False", "PolicyRefused"), ("Unknown", "NotChecked"))
    assert told in supplied.resolved.message
    assert requests(plain, repository) == []


def test_a_registry_that_the_policy_frees_needs_no_signature(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    host = ruled(world, plain, alice)
    publish(plain, tmp_path, f"{host}/policy/free:v1")
    assert verdicts(world.supply(app(f"{host}/policy/free:v1"))) == (("True", "Resolved"), ("Unknown", "NotAsked"))


def test_a_new_policy_is_asked_of_what_was_accepted_before(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    reference = f"{world.knows(plain)}/policy/before:v1"
    publish(plain, tmp_path, reference)
    first = world.supply(app(reference))
    ruled(world, plain, alice)
    second = world.supply(after(app(reference), first))
    assert first.artifact
    assert (second.artifact, verdicts(second)[1]) == (None, ("False", "SignatureRefused"))


def test_a_rule_about_another_registry_asks_nothing_again(
    world: World, plain: Registry, tmp_path: Path, alice: Signer
) -> None:
    reference = f"{world.knows(plain)}/policy/free:v1"
    publish(plain, tmp_path, reference)
    ruled(world, plain, alice)
    first = world.supply(app(reference))
    before = requests(plain, "policy/free")
    world.policy = [*world.policy[:2], *policy.parse("[{registries: ['*'], refuse: true}]", "test"), *world.policy[2:]]
    assert world.supply(after(app(reference), first)) == first
    assert requests(plain, "policy/free") == before
