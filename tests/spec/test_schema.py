"""The CRD is what the description says; what Kubernetes says of it is in test_api_server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wherry.spec import reference, schema
from wherry.spec.model import Spec
from wherry.spec.record import Member, Record

CRD = Path(__file__).parents[2] / "crds" / "wasmapps.yaml"
REFERENCE = Path(__file__).parents[2] / "docs" / "wasmapp-reference.md"


def _members(record: Record[Any], at: str) -> Iterator[tuple[str, Member]]:
    for name, member in record.members.items():
        yield f"{at}.{name}", member
        shape = getattr(member.shape, "item", member.shape)
        if isinstance(shape, Record):
            yield from _members(shape, f"{at}.{name}")


MEMBERS = list(_members(Record(Spec), "spec"))


def _patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _patterns(each)


def test_the_committed_crd_is_the_generated_one() -> None:
    assert CRD.read_text() == schema.render(), "run: make docs"


def test_the_committed_reference_is_the_generated_one() -> None:
    assert REFERENCE.read_text() == reference.render(), "run: make docs"


@pytest.mark.parametrize(("path", "member"), MEMBERS, ids=[path for path, _ in MEMBERS])
def test_a_field_is_described_and_its_default_reads_back(path: str, member: Member) -> None:
    described = member.schema()
    assert re.fullmatch(r"\S.*\.", described["description"], re.DOTALL)
    if "default" in described:
        assert member.shape.read(described["default"], path) == member.default


def test_patterns_mean_the_same_to_go_and_to_python() -> None:
    """RE2 has no look-around and no back-references, and its classes are ASCII."""
    patterns = set(_patterns(schema.crd()))
    assert len(patterns) > 15
    assert not [each for each in patterns if re.search(r"\(\?[=!<i]|\\[1-9dwsbDWSB]", each)]


def test_defaults_are_few_enough_to_leave_a_small_object() -> None:
    assert Record(Spec).write(Spec(artifact="x")) == {"artifact": "x"}
