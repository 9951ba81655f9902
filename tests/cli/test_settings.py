"""`--set PATH=VALUE` changes a document before it is parsed."""

from __future__ import annotations

import pytest

from wherry.errors import InputError
from wherry.spec.document import load
from wherry_cli.settings import setting, with_settings

APP = "kind: WasmApp\nspec: {env: [{name: A}], limits: {memory: 1Mi}}\n"


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        pytest.param("spec.port=81", {"env": [{"name": "A"}], "limits": {"memory": "1Mi"}, "port": 81}, id="new field"),
        pytest.param("spec.limits.memory=2Mi", {"env": [{"name": "A"}], "limits": {"memory": "2Mi"}}, id="changed"),
        pytest.param("spec.env[0].name=B", {"env": [{"name": "B"}], "limits": {"memory": "1Mi"}}, id="in a list"),
        pytest.param(
            "spec.env[1]={name: B}", {"env": [{"name": "A"}, {"name": "B"}], "limits": {"memory": "1Mi"}}, id="appended"
        ),
        pytest.param(
            "spec.env[1].name=B",
            {"env": [{"name": "A"}, {"name": "B"}], "limits": {"memory": "1Mi"}},
            id="made on the way",
        ),
        pytest.param("spec.limits=", {"env": [{"name": "A"}], "limits": None}, id="taken away"),
    ],
)
def test_a_setting_is_put_where_its_path_says(given: str, spec: object) -> None:
    assert load(with_settings(APP, [setting(given)])) == [{"kind": "WasmApp", "spec": spec}]


def test_later_settings_see_earlier_ones() -> None:
    changed = with_settings("kind: WasmApp\n", [setting("spec.args=[a]"), setting("spec.args[1]=b")])
    assert load(changed) == [{"kind": "WasmApp", "spec": {"args": ["a", "b"]}}]


def test_documents_of_another_kind_are_left_alone() -> None:
    changed = with_settings(f"{APP}---\nkind: Service\n", [setting("spec.port=1")])
    assert load(changed)[1] == {"kind": "Service"}


def test_text_without_settings_is_not_touched() -> None:
    assert with_settings("# mine\nkind: [", []) == "# mine\nkind: ["


def test_text_that_is_no_yaml_is_left_for_the_parser_to_refuse() -> None:
    assert with_settings("kind: [", [setting("a=1")]) == "kind: ["


@pytest.mark.parametrize("given", ["", "=1", "port", "spec..port=1", "spec.env[x]=1", "spec.port=[", "a b=1"])
def test_what_is_no_setting_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="--set"):
        setting(given)


@pytest.mark.parametrize("given", ["kind.name=1", "spec.env[2]=1", "spec.env.name=1", "spec[0]=1"])
def test_a_path_that_leads_nowhere_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="no place"):
        with_settings(APP, [setting(given)])
