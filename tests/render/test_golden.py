"""Every option of a WasmApp and every example, as the objects that they become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.render.cases import EXAMPLES, Case, cases
from wherry.plan import annotation
from wherry.plan.annotation import PREFIX
from wherry.spec.document import load
from wherry_operator import labels
from wherry_operator.desired.hashing import short_hash
from wherry_operator.desired.kinds import KINDS
from wherry_operator.desired.render import HASH
from wherry_operator.manifest import Manifest

CASES = cases()
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@EACH
def test_an_app_becomes_these_objects(case: Case) -> None:
    assert case.wanted() == case.golden.read_text(), "WRITE_GOLDEN=1 writes it anew"


def test_every_example_is_among_the_cases() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/app.yaml")} <= {case.name for case in CASES}


def test_every_kind_of_object_is_among_the_cases() -> None:
    rendered = {(each["apiVersion"], each["kind"]) for case in CASES for each in case.rendered()}
    assert rendered == set(KINDS)


@EACH
def test_the_same_app_becomes_the_same_objects_and_none_shares_data(case: Case) -> None:
    first, second = case.rendered(), case.rendered()
    assert first == second
    containers = [id(each) for each in _containers([*first, *second])]
    assert len(containers) == len(set(containers))


def _containers(value: Any) -> Iterator[Any]:
    """Every mapping and list. Those without content may be shared: they say nothing."""
    if value and isinstance(value, dict | list | tuple):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _containers(each)


@EACH
def test_a_rendering_leaves_the_app_as_it_was(case: Case) -> None:
    before = repr(case)
    for each in list(_containers(case.rendered())):
        if isinstance(each, dict | list):
            each.clear()
    assert repr(case) == before


@EACH
def test_every_object_has_our_labels_its_namespace_its_owner_and_its_hash(case: Case) -> None:
    for manifest in case.rendered():
        meta = manifest["metadata"]
        owners = [each["uid"] for each in meta.get("ownerReferences", ())]
        assert meta["labels"] == labels.recommended(case.app.metadata.name)
        assert meta.get("namespace") == case.app.metadata.namespace
        assert owners == ([case.context.owner] if case.context.owner else [])
        assert meta["annotations"][labels.RENDERED] == short_hash(_without_hash(manifest), HASH)


def _without_hash(manifest: Manifest) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(manifest))
    del copy["metadata"]["annotations"][labels.RENDERED]
    if not copy["metadata"]["annotations"]:
        del copy["metadata"]["annotations"]
    return copy


@EACH
def test_the_golden_file_is_read_as_what_was_rendered(case: Case) -> None:
    assert load(case.golden.read_text()) == json.loads(json.dumps(case.rendered()))


@EACH
def test_the_annotation_is_one_that_nodes_read(case: Case) -> None:
    (text,) = _annotations(case.rendered())
    assert annotation.parse(text).wasm == case.artifact.wasm


def _annotations(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (each for name, each in value.items() if name == f"{PREFIX}app")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _annotations(each)
