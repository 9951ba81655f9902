"""`wherry render`: what the operator would apply, from a registry, from a file, and from neither."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT
from tests.cli.process import Outcome, Shell
from tests.support import guests
from tests.support.artifacts import docker_wasi, wasmcloud
from tests.support.registry import Registry, registry
from wherry.oci.access import opened
from wherry.oci.reference import parse

EXAMPLE = ROOT / "examples" / "01-hello"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("plain")) as server:
        yield server


def document(name: str, artifact: str, more: str = "run: command") -> str:
    head = "apiVersion: wherry.dev/v1alpha1\nkind: WasmApp\n"
    return f"{head}metadata: {{name: {name}}}\nspec:\n  artifact: {artifact}\n  {more}\n"


def rendered(outcome: Outcome) -> list[Any]:
    assert outcome.code == 0, outcome.err
    return list(yaml.safe_load_all(outcome.out))


def pods(objects: list[Any]) -> Any:
    return next(each["spec"]["template"]["spec"] for each in objects if each["kind"] == "Deployment")


def test_an_app_becomes_objects_with_the_digest_that_the_registry_has(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/hello:v1"
    pushed = json.loads(shell.wherry("push", EXAMPLE / "hello.wasm", reference, "--json").out)
    objects = rendered(shell.wherry("render", EXAMPLE / "app.yaml", "--set", f"spec.artifact={reference}"))
    assert [each["kind"] for each in objects] == ["Service", "Deployment"]
    (app,) = pods(objects)["containers"]
    assert app["image"] == f"{plain.host}/hello@{pushed['digest']}"
    plan = objects[1]["spec"]["template"]["metadata"]["annotations"]["plan.wherry.dev/app"]
    assert json.loads(plan)["wasm"] == pushed["wasm"]


def test_a_file_is_rendered_as_it_will_be_once_it_is_pushed(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/later:v1"
    command = ["render", str(EXAMPLE / "app.yaml"), "--set", f"spec.artifact={reference}"]
    before = shell.wherry(*command, "--wasm", EXAMPLE / "hello.wasm")
    assert rendered(before)
    shell.wherry("push", EXAMPLE / "hello.wasm", reference)
    assert shell.wherry(*command).out == before.out


def test_a_digest_that_is_known_here_asks_no_registry(shell: Shell, tmp_path: Path) -> None:
    with registry(tmp_path) as server:
        pushed = json.loads(shell.wherry("push", guests.tiny(), f"{server.host}/gone:v1", "--json").out)
        reference = f"{server.host}/gone@{pushed['digest']}"
        there = shell.wherry("render", reference)
    gone = shell.wherry("render", reference)
    assert rendered(gone)
    assert gone.out == there.out


def test_a_file_inside_an_image_is_named_by_the_command(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/image:v1"
    with opened(parse(reference), plain.access(shell.folder / "cache")) as repository:
        docker_wasi().put(repository)
    (app,) = pods(rendered(shell.wherry("render", reference, "--set", "spec.run=command")))["containers"]
    assert app["command"] == ["/app/main.wasm"]


def test_what_the_operator_would_not_run_is_refused_as_it_refuses_it(shell: Shell, plain: Registry) -> None:
    reference = f"{plain.host}/actor:v1"
    with opened(parse(reference), plain.access(shell.folder / "cache")) as repository:
        wasmcloud().put(repository)
    outcome = shell.wherry("render", reference, "--set", "spec.run=command")
    assert outcome.code == 1
    assert "layout wasmcloud does not run in a cluster" in outcome.err


def test_a_file_that_is_not_what_the_digest_names_is_refused(shell: Shell) -> None:
    reference = f"localhost:1/hello@sha256:{'0' * 64}"
    outcome = shell.wherry("render", reference, "--wasm", guests.tiny())
    assert outcome.code == 2
    assert f"spec.artifact names sha256:{'0' * 64}" in outcome.err


def test_every_app_of_a_document_is_rendered_or_the_one_that_is_named(shell: Shell) -> None:
    text = "---\n".join(document(name, f"localhost:1/{name}:v1") for name in ("a", "b"))
    (shell.folder / "two.yaml").write_text(text)
    both = rendered(shell.wherry("render", "two.yaml", "--wasm", guests.command("exit"), "-n", "prod"))
    assert [(each["metadata"]["name"], each["metadata"]["namespace"]) for each in both] == [
        ("a", "prod"),
        ("b", "prod"),
    ]
    one = rendered(shell.wherry("render", "two.yaml", "--wasm", guests.command("exit"), "--name", "b"))
    assert [each["metadata"]["name"] for each in one] == ["b"]


def test_json_is_one_list_that_kubectl_takes(shell: Shell) -> None:
    outcome = shell.wherry("render", "localhost:1/a:v1", "--wasm", guests.command("exit"), "--json")
    found = json.loads(outcome.out)
    assert (found["kind"], len(found["items"])) == ("List", 1)


def test_a_container_with_the_engine_gets_its_registry_with_the_ca_inline(shell: Shell) -> None:
    (shell.folder / "ca.pem").write_text("the CA")
    (shell.folder / "registries.yaml").write_text("localhost:1: {caFile: ca.pem}\nother.example: {plainHTTP: true}\n")
    options = ["--set", "spec.executor=container", "--runner-image", "runner:1", "--registries", "registries.yaml"]
    objects = rendered(shell.wherry("render", "localhost:1/a:v1", "--wasm", guests.command("exit"), *options))
    (pull,) = pods(objects)["initContainers"]
    assert pull["image"] == "runner:1"
    env = {each["name"]: each["value"] for each in pull["env"]}
    assert json.loads(env["WHERRY_REGISTRIES"]) == {"localhost:1": {"ca": "the CA"}}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("envFrom: [{configMapRef: {name: a}}]", "the operator adds the variables of spec.envFrom to the plan"),
        ("verify: {keys: [{secret: {name: a, key: b}}]}", "the operator checks the signatures of spec.verify first"),
    ],
)
def test_what_only_an_operator_can_do_is_said(shell: Shell, more: str, said: str) -> None:
    (shell.folder / "app.yaml").write_text(document("a", "localhost:1/a:v1", more))
    outcome = shell.wherry("render", "app.yaml", "--wasm", guests.command("exit"))
    assert outcome.err == f"wherry: a: {said}\n"
