"""Which ConfigMaps and Secrets an app reads, and what is made of their content."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.apps import document
from wherry.spec.model import WasmApp
from wherry.spec.parse import read
from wherry_operator.desired.sources import Source, checksum, env_names, needed, of_pods

KEY = b"the operator's"
SETTINGS, TOKENS = Source("ConfigMap", "settings"), Source("Secret", "tokens")


def app(**spec: Any) -> WasmApp:
    return read(document(spec), "app")


def volumes(*given: Any) -> dict[str, Any]:
    return {"podTemplate": {"spec": {"volumes": [{"name": f"v{index}", **each} for index, each in enumerate(given)]}}}


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "log", "image": "x", **fields}


READS: list[tuple[str, dict[str, Any]]] = [
    ("a variable", {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]}),
    ("all variables", {"envFrom": [{"configMapRef": {"name": "settings"}}]}),
    ("a volume", volumes({"configMap": {"name": "settings"}})),
    ("a part of a volume", volumes({"projected": {"sources": [{"configMap": {"name": "settings"}}]}})),
    ("a sidecar", {"containers": [container(envFrom=[{"configMapRef": {"name": "settings"}}])]}),
    (
        "the template",
        {"podTemplate": {"spec": {"initContainers": [container(envFrom=[{"configMapRef": {"name": "settings"}}])]}}},
    ),
]


def keeps(**more: Any) -> list[tuple[str, dict[str, Any]]]:
    """more: what each reference says besides."""
    ref = {"name": "tokens", **more}
    return [
        ("a variable", {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {**ref, "key": "a"}}}]}),
        ("all variables", {"envFrom": [{"secretRef": ref}]}),
        ("a volume", volumes({"secret": {"secretName": "tokens", **more}})),
        ("a part of a volume", volumes({"projected": {"sources": [{"secret": ref}]}})),
        ("a sidecar", {"containers": [container(envFrom=[{"secretRef": ref}])]}),
    ]


KEEPS = keeps()


@pytest.mark.parametrize(("reason", "spec"), READS, ids=[reason for reason, _ in READS])
def test_a_config_map_is_found_wherever_a_pod_reads_it(reason: str, spec: Any) -> None:
    assert of_pods(app(**spec)) == (SETTINGS,)


@pytest.mark.parametrize(("reason", "spec"), KEEPS, ids=[reason for reason, _ in KEEPS])
def test_a_secret_is_found_wherever_a_pod_reads_it(reason: str, spec: Any) -> None:
    assert of_pods(app(**spec)) == (TOKENS,)


def test_an_object_that_is_read_twice_is_one_source() -> None:
    spec = {"envFrom": [{"secretRef": {"name": "tokens"}}, {"prefix": "P_", "secretRef": {"name": "tokens"}}]}
    assert of_pods(app(**spec)) == (TOKENS,)


def test_what_only_looks_like_a_source_is_none() -> None:
    spec = {
        "podTemplate": {"spec": {"nodeSelector": {"secret": "a", "configMap": "b"}, "volumes": [{"name": "secret"}]}}
    }
    assert of_pods(app(**spec)) == ()


def test_keys_and_logins_are_no_reason_to_roll_out() -> None:
    keys = [{"secret": {"name": "tokens", "key": "a"}}, {"configMap": {"name": "settings", "key": "b"}}]
    assert of_pods(app(verify={"keys": keys}, pull={"secrets": [{"name": "login"}]})) == ()


@pytest.mark.parametrize(("reason", "spec"), KEEPS, ids=[reason for reason, _ in KEEPS])
def test_a_source_that_is_not_optional_is_needed(reason: str, spec: Any) -> None:
    assert needed(app(**spec)) == (TOKENS,)


@pytest.mark.parametrize(("reason", "spec"), keeps(optional=True), ids=[reason for reason, _ in KEEPS])
def test_an_optional_source_is_read_and_not_needed(reason: str, spec: Any) -> None:
    assert of_pods(app(**spec)) == (TOKENS,)
    assert needed(app(**spec)) == ()


def test_a_drivers_login_is_read_too() -> None:
    spec = volumes({"cephfs": {"monitors": ["a"], "secretRef": {"name": "tokens"}}})
    assert of_pods(app(**spec)) == (TOKENS,)


def test_variables_have_the_prefix_of_their_source_and_binary_data_gives_none() -> None:
    spec = {"envFrom": [{"configMapRef": {"name": "settings"}}, {"prefix": "T_", "secretRef": {"name": "tokens"}}]}
    found = {SETTINGS: {"data": {"B": "1", "A": "2"}, "binaryData": {"C": ""}}, TOKENS: {"data": {"A": ""}}}
    assert env_names(app(**spec), found) == ("A", "B", "T_A")
    assert env_names(app(**spec), {SETTINGS: None, TOKENS: {}}) == ()


def test_other_content_has_another_checksum() -> None:
    contents: list[Any] = [
        None,
        {},
        {"data": {}},
        {"data": {"a": "1"}},
        {"data": {"a": "2"}},
        {"binaryData": {"a": "1"}},
    ]
    sums = {checksum(KEY, [SETTINGS], {SETTINGS: content}) for content in contents}
    assert len(sums) == len(contents) - 1  # for a Pod, no data and no field of it are the same; absence is not
    assert checksum(KEY, [TOKENS], {TOKENS: {"data": {"a": "1"}}}) not in sums
    assert checksum(b"another", [SETTINGS], {SETTINGS: {"data": {"a": "1"}}}) not in sums


def test_a_checksum_follows_what_pods_see_alone() -> None:
    first = {"data": {"a": "1", "b": "2"}, "metadata": {"resourceVersion": "1"}}
    later = {"data": {"b": "2", "a": "1"}, "metadata": {"resourceVersion": "9", "labels": {"a": "b"}}}
    assert checksum(KEY, [SETTINGS, TOKENS], {SETTINGS: first}) == checksum(KEY, [TOKENS, SETTINGS], {SETTINGS: later})


def test_an_app_that_reads_nothing_has_no_checksum() -> None:
    assert checksum(KEY, of_pods(app()), {}) == ""
