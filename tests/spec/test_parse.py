"""What the parser reads, what it refuses, and in which words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.spec.apps import NAMES, NOT_NAMES, RIGHT, WRONG, Row, document
from wherry.errors import InvalidApp
from wherry.spec.origin import parse_origin
from wherry.spec.parse import parse, read
from wherry.spec.quantity import Quantity

GOLDEN = Path(__file__).parent / "golden"
HEAD = "apiVersion: wherry.dev/v1alpha1\nkind: WasmApp\n"


def _messages(text: str) -> list[str]:
    with pytest.raises(InvalidApp) as caught:
        parse(text, "app.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.reason)
def test_what_is_right_is_read(row: Row) -> None:
    app = read(document(row.spec), "app.yaml")
    assert app.metadata.name == "hello"


@pytest.mark.parametrize("row", WRONG, ids=lambda row: row.reason)
def test_one_wrong_field_is_one_fault_at_its_path(row: Row) -> None:
    with pytest.raises(InvalidApp) as caught:
        read(document(row.spec), "app.yaml")
    assert [field.path for field in caught.value.fields] == [row.at]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_leaves_room_for_what_a_cron_job_appends(name: str) -> None:
    assert read(document({}, name), "app.yaml").metadata.name == name


@pytest.mark.parametrize("name", NOT_NAMES)
def test_a_name_that_no_service_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidApp, match=r"RFC 1035|at most 52"):
        read(document({}, name), "app.yaml")


def test_every_wrong_field_is_told_in_one_pass_in_these_words() -> None:
    text = (GOLDEN / "wrong.yaml").read_text()
    assert _messages(text) == (GOLDEN / "wrong.txt").read_text().splitlines()


def test_an_app_of_every_field_is_read_into_these_values() -> None:
    (app,) = parse((GOLDEN / "full.yaml").read_text(), "full.yaml")
    spec = app.spec
    assert spec.limits.memory == 64 << 20
    assert spec.limits.timeout == 1.5
    assert spec.pull.refresh == 600
    assert spec.resources.requests["memory"] == Quantity("100M")
    assert spec.capabilities.outbound_http == (parse_origin("https://api.example.com"),)
    assert spec.capabilities.files[0].read_only is True
    assert spec.autoscaling is not None
    assert spec.autoscaling.min == 1
    assert spec.env[1].value_from == {"secretKeyRef": {"name": "s", "key": "k"}}
    assert app.metadata.labels == {"team": "shop"}


def test_what_is_absent_has_its_default() -> None:
    (app,) = parse(HEAD + "metadata: {name: a}\nspec: {artifact: x}", "app.yaml")
    assert app.spec.limits.memory == 128 << 20
    assert app.spec.pull.refresh == math.inf
    assert app.spec.resources.requests == {"cpu": Quantity("10m"), "memory": Quantity("32Mi")}
    assert (app.spec.replicas, app.spec.port, app.spec.run) == (1, 8080, None)


def test_resources_that_are_written_replace_the_default_ones() -> None:
    app = read(document({"resources": {"limits": {"cpu": "5m"}}}), "app.yaml")
    assert app.spec.resources.requests == {}


def test_documents_of_other_kinds_are_passed_over() -> None:
    other = "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n"
    text = f"{other}---\n{HEAD}metadata: {{name: a}}\nspec: {{artifact: x}}\n---\n---\n{other}"
    assert [app.metadata.name for app in parse(text, "app.yaml")] == ["a"]


def test_a_list_is_opened() -> None:
    items = [document({}, "one"), document({}, "two")]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    assert [app.metadata.name for app in parse(text, "-")] == ["one", "two"]


def test_faults_of_several_documents_name_their_document() -> None:
    text = f"{HEAD}metadata: {{name: a}}\nspec: {{}}\n---\n{HEAD}metadata: {{name: b}}\nspec: {{artifact: x, port: 0}}"
    assert _messages(text) == [
        "app.yaml: document 1: spec.artifact: got nothing, expected a reference such as ghcr.io/acme/hello:v1",
        "app.yaml: document 2: spec.port: got the number 0, expected 1 to 65535",
    ]


def test_the_same_app_twice_is_refused() -> None:
    text = f"{HEAD}metadata: {{name: a}}\nspec: {{artifact: x}}\n---\n" * 2
    assert _messages(text) == ['app.yaml: document 2: metadata.name: got "a" again, expected each WasmApp once']


@pytest.mark.parametrize("text", ["", "# nothing", "---\n---", "kind: Pod\napiVersion: v1", "{kind: List, items: []}"])
def test_a_text_without_an_app_is_refused(text: str) -> None:
    assert _messages(text) == [
        "app.yaml: document: got no WasmApp, expected an object of kind WasmApp of wherry.dev/v1alpha1"
    ]


def test_a_misspelt_kind_of_our_group_is_told() -> None:
    messages = _messages("apiVersion: wherry.dev/v1alpha1\nkind: Wasmapp\nmetadata: {name: a}\nspec: {artifact: x}")
    assert messages == ['app.yaml: kind: got "Wasmapp", expected WasmApp']


def test_a_later_version_is_told() -> None:
    messages = _messages("apiVersion: wherry.dev/v1\nkind: WasmApp\nmetadata: {name: a}\nspec: {artifact: x}")
    assert messages == ['app.yaml: apiVersion: got "wherry.dev/v1", expected wherry.dev/v1alpha1']


@pytest.mark.parametrize("text", ["a: b", "[]", "3", "hello", "kind: 3"])
def test_a_document_that_says_not_what_it_is_was_meant_for_us(text: str) -> None:
    assert _messages(text)


def test_a_number_without_end_is_told_in_few_words() -> None:
    with pytest.raises(InvalidApp, match="got a number of more than 64 bits, expected 1 to 65535"):
        read(document({"port": 10**5000}), "app.yaml")


def test_a_thousand_unknown_fields_are_not_all_told() -> None:
    with pytest.raises(InvalidApp) as caught:
        read(document({f"field{number}": 1 for number in range(1000)}), "app.yaml")
    assert len(caught.value.fields) == 50


def test_what_an_api_server_adds_is_no_fault() -> None:
    added = {"uid": "u", "resourceVersion": "1", "generation": 3, "managedFields": [{}], "creationTimestamp": "2026"}
    app = document({})
    app["metadata"] |= added | {"namespace": "shop"}
    app["status"] = {"observedGeneration": 3, "conditions": []}
    assert read(app, "hello").metadata.namespace == "shop"


def test_a_status_is_read_back() -> None:
    digest = "sha256:" + "0" * 64
    status = {"artifact": {"reference": "r", "digest": digest, "size": 12, "resolvedAt": "2026-01-31T12:00:00Z"}}
    artifact = read(document({}) | {"status": status}, "hello").status.artifact
    assert artifact is not None
    assert (artifact.digest, artifact.size) == (digest, 12)
