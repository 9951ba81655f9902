"""push, pull, inspect, sign and verify against a real registry, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.keys import key_pair
from tests.cli.process import Shell
from tests.support import guests
from tests.support.registry import Registry, registry
from tests.support.token_server import PASSWORD, USER

MODULE_FACTS = {"size", "kind", "wasi", "world", "run", "imports", "exports"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("guarded"), tls=True, password=True) as server:
        yield server


def test_push_says_what_it_pushed(shell: Shell, plain: Registry) -> None:
    outcome = shell.wherry("push", guests.tiny(), f"{plain.host}/says:v1")
    assert outcome.code == 0, outcome.err
    said = dict(line.split(maxsplit=1) for line in outcome.out.splitlines() if not line.startswith(" "))
    assert said["reference"] == f"{plain.host}/says:v1"
    assert said["digest"].startswith("sha256:")
    assert (said["kind"], said["world"], said["run"]) == ("module", "wasi_snapshot_preview1", "command")
    assert said["imports"] == "wasi_snapshot_preview1.fd_write"
    assert outcome.err == ""


def test_the_same_bytes_pushed_twice_have_one_digest_and_nothing_is_uploaded(shell: Shell, plain: Registry) -> None:
    first, again, elsewhere = (
        json.loads(shell.wherry("push", guests.tiny(), f"{plain.host}/{name}", "--json").out)
        for name in ("twice:v1", "twice:v1", "other:v2")
    )
    assert set(first) == {"reference", "digest", "wasm", "uploaded"} | MODULE_FACTS
    assert first["uploaded"] > 0
    assert again == first | {"uploaded": 0}
    assert elsewhere["digest"] == first["digest"]
    assert "uploaded    nothing" in shell.wherry("push", guests.tiny(), f"{plain.host}/twice:v1").out


def test_annotations_are_on_the_manifest_and_inspect_shows_them(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/annotated:v1"
    shell.wherry("push", guests.tiny(), reference, "--annotation", "org.opencontainers.image.version=1.2")
    assert json.loads(shell.wherry("inspect", reference, "--json").out)["annotations"] == {
        "org.opencontainers.image.version": "1.2"
    }


def test_pull_writes_the_bytes_that_were_pushed(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/pulled:v1"
    pushed = json.loads(shell.wherry("push", guests.tiny(), reference, "--json").out)
    pulled = json.loads(shell.wherry("pull", reference, "-o", "mine.wasm", "--json").out)
    assert set(pulled) == {"reference", "digest", "layout", "wasm", "size", "file"}
    assert (pulled["digest"], pulled["wasm"]) == (pushed["digest"], pushed["wasm"])
    assert (shell.folder / "mine.wasm").read_bytes() == guests.tiny().read_bytes()


def test_pull_without_a_name_takes_the_publishers_name(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/named:v1"
    shell.wherry("push", guests.tiny(), reference)
    shell.wherry("pull", reference)
    assert (shell.folder / guests.tiny().name).read_bytes() == guests.tiny().read_bytes()


def test_inspect_says_what_a_reference_is_and_what_it_asks_for(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/inspected:v1"
    shell.wherry("push", guests.command("files"), reference)
    found = json.loads(shell.wherry("inspect", reference, "--json").out)
    expected = {"reference", "digest", "layout", "wasm", "annotations", "signatures", "asks"} | MODULE_FACTS
    assert set(found) == expected
    assert found["layout"] == "cncf"
    assert "spec.capabilities.files" in [ask["field"] for ask in found["asks"]]
    assert "opens files (spec.capabilities.files)" in shell.wherry("inspect", reference).out


def test_inspect_reads_a_file_of_this_machine_the_same_way(shell: Shell) -> None:
    found = json.loads(shell.wherry("inspect", guests.tiny(), "--json").out)
    assert (found["layout"], found["digest"], found["kind"]) == ("file", "", "module")


def test_a_layout_folder_needs_no_registry(shell: Shell) -> None:
    pushed = json.loads(shell.wherry("push", guests.tiny(), "oci:images:v1", "--json").out)
    assert json.loads(shell.wherry("inspect", "oci:images:v1", "--json").out)["digest"] == pushed["digest"]


def test_a_password_comes_by_standard_input(shell: Shell, guarded: Registry) -> None:
    registries = guarded.registries_file(shell.folder / "registries.yaml")
    way = ["--registries", str(registries), "--username", USER, "--password-stdin"]
    reference = f"{guarded.host}/guarded:v1"
    outcome = shell.wherry("push", guests.tiny(), reference, *way, stdin=f"{PASSWORD}\n")
    assert outcome.code == 0, outcome.err
    refused = shell.wherry("push", guests.tiny(), reference, *way, stdin="wrong\n")
    assert refused.code == 1
    assert "wrong" not in refused.out + refused.err


def test_logins_of_a_file_are_used_when_it_is_named(shell: Shell, guarded: Registry) -> None:
    registries = guarded.registries_file(shell.folder / "registries.yaml")
    logins = shell.folder / "logins.json"
    logins.write_text(json.dumps({"auths": {guarded.host: {"username": USER, "password": PASSWORD}}}))
    reference = f"{guarded.host}/logins:v1"
    outcome = shell.wherry("push", guests.tiny(), reference, "--registries", registries, "--auth-file", logins)
    assert outcome.code == 0, outcome.err


def test_the_registries_file_may_come_as_text_in_the_environment(shell: Shell, guarded: Registry) -> None:
    text = guarded.registries_file(shell.folder / "registries.yaml").read_text()
    outcome = shell.wherry("inspect", f"{guarded.host}/no:v1", env={"WHERRY_REGISTRIES": text})
    assert outcome.code == 1
    assert "certificate" not in outcome.err


@pytest.mark.parametrize("where", ["registry", "folder"])
def test_what_one_key_signed_only_that_key_verifies(shell: Shell, plain: Registry, where: str) -> None:
    reference = f"{plain.host}/signed-{where}:v1" if where == "registry" else "oci:signed:v1"
    ours, our_half = key_pair(shell.folder, "ours")
    _, stranger = key_pair(shell.folder, "stranger")
    digest = json.loads(shell.wherry("push", guests.tiny(), reference, "--json").out)["digest"]
    assert shell.wherry("verify", reference, "--key", our_half).code == 1

    signed = json.loads(shell.wherry("sign", reference, "--key", ours, "--json").out)
    assert (signed["digest"], signed["written"]) == (digest, ["simplesigning", "bundle"])
    verified = json.loads(shell.wherry("verify", reference, "--key", our_half, "--json").out)
    assert verified == {"reference": reference, "digest": digest, "signers": [str(our_half)]}
    assert shell.wherry("verify", reference, "--key", stranger).code == 1
    both = ["--key", str(our_half), "--key", str(stranger)]
    assert shell.wherry("verify", reference, *both).code == 0
    assert shell.wherry("verify", reference, *both, "--threshold", "2").code == 1
    assert "written     nothing" in shell.wherry("sign", reference, "--key", ours).out


def test_inspect_lists_signatures_and_says_that_nobody_checked_them(shell: Shell) -> None:
    ours, _ = key_pair(shell.folder, "ours")
    shell.wherry("push", guests.tiny(), "oci:listed:v1")
    shell.wherry("sign", "oci:listed:v1", "--key", ours)
    found = json.loads(shell.wherry("inspect", "oci:listed:v1", "--json").out)["signatures"]
    assert [set(each) for each in found] == [{"form", "key", "repository", "fault"}] * 2
    assert shell.wherry("inspect", "oci:listed:v1").out.count("not checked") == 2
