"""What values may say, and where it arrives."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, VALUES, Manifest, container, find, objects, run
from wherry.cluster import resources
from wherry.cluster.resources import Resource
from wherry.oci import registries
from wherry_operator import settings
from wherry_operator.supply import policy

WRONG = yaml.safe_load((Path(__file__).parent / "wrong.yaml").read_text())
BY_KUBERNETES = {"identity": "Pod's name"}
"""Settings that are no value: each replica has its own."""


def test_helm_finds_nothing_to_complain_of() -> None:
    done = run("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout
    assert "0 chart(s) failed" in done.stdout


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong["set"])
def test_a_wrong_value_is_refused_with_its_place(wrong: dict[str, str]) -> None:
    done = run("template", "wherry", CHART, "--set", wrong["set"])
    assert done.returncode != 0
    assert wrong["says"] in done.stderr


def test_every_value_is_in_the_schema_and_has_its_default_there_beside_a_comment() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert missing(values, schema) == []
    assert {*schema["properties"]} - {"global"} == {*values}


def missing(values: dict[str, Any], schema: dict[str, Any], at: str = "") -> list[str]:
    """Paths that the schema allows and values.yaml does not show."""
    known = schema.get("properties", {})
    shown = {name: value for name, value in values.items() if isinstance(value, dict) and known.get(name)}
    below = [path for name, value in shown.items() for path in missing(value, known[name], f"{at}{name}.")]
    optional = {"global", "claims", *known.get("resources", {}).get("properties", {})}
    return [f"{at}{name}" for name in known if name not in values and name not in optional] + below


def environment(manifests: list[Manifest]) -> dict[str, str]:
    """Of the operator's process, except for what the node fills in."""
    own = container(find(manifests, "Deployment", "wherry-operator"))
    assert own["envFrom"] == [{"configMapRef": {"name": "wherry-operator"}}]
    data: dict[str, str] = find(manifests, "ConfigMap", "wherry-operator")["data"]
    return data | {each["name"]: each.get("value", BY_KUBERNETES["identity"]) for each in own["env"]}


def test_every_setting_of_the_operator_can_be_given_as_a_value() -> None:
    older = ("--kube-version", "1.34.0")
    environ = environment(objects("--values", VALUES / "settled.yaml", *older, namespace="elsewhere"))
    known = {settings.PREFIX + each.name.upper() for each in fields(settings.Settings)}
    assert {name for name in environ if name.startswith(settings.PREFIX)} == known
    given, usual = settings.load(environ), settings.Settings()
    same = [each.name for each in fields(given) if getattr(given, each.name) == getattr(usual, each.name)]
    assert same == []


def test_a_kubelet_that_checks_who_may_pull_asks_no_registry_at_every_start() -> None:
    given = settings.load(environment(objects("--set", "strictPull=true", "--kube-version", "1.35.0")))
    assert not given.always_pull


def test_values_that_are_not_given_are_the_operators_own() -> None:
    given = settings.load(environment(objects()))
    from_the_chart = {"identity", "registries", "scratch", "runner_image"}
    different = {each.name for each in fields(given) if getattr(given, each.name) != each.default}
    assert different == from_the_chart


def test_documents_are_such_that_the_operator_reads() -> None:
    data = find(objects("--values", VALUES / "settled.yaml"), "ConfigMap", "wherry-operator-documents")["data"]
    assert registries.parse(data["registries.yaml"], "registries")["localhost:5001"].plain_http
    first, last = policy.parse(data["policy.yaml"], "policy")
    assert first.keys
    assert last.refuse


def test_a_changed_setting_or_document_restarts_the_operator() -> None:
    changes = ("operator.workers=3", "registries.localhost.plainHTTP=true")
    marks = [mark(objects()), *(mark(objects("--set", change)) for change in changes)]
    assert len(set(marks)) == 3


def mark(manifests: list[Manifest]) -> str:
    template = find(manifests, "Deployment", "wherry-operator")["spec"]["template"]
    found: str = template["metadata"]["annotations"]["wherry.dev/settings"]
    return found


def test_the_operators_rights_are_of_kinds_that_it_knows_and_of_all_of_them() -> None:
    known = {each for each in vars(resources).values() if isinstance(each, Resource)}
    wanted = {(each.group, each.plural) for each in known}
    files = sorted((CHART / "files").glob("operator*-rules.yaml"))
    rules = [rule for file in files for rule in yaml.safe_load(file.read_text())]
    granted = {
        (group, name.partition("/")[0]) for rule in rules for group in rule["apiGroups"] for name in rule["resources"]
    }
    assert granted == wanted
