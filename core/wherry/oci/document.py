"""JSON from strangers: read strictly, so that no two readers can understand one document differently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from wherry.errors import ArtifactError

COMMAS_LIMIT = 50_000
"""Of a document. Values are counted before they are made: each of them takes fifty times the two bytes of `1,`."""


def refuse(where: str, found: str, expected: str) -> NoReturn:
    """Raise the one error of a document that is not what it should be."""
    raise ArtifactError(
        f"{where}: got {found}, expected {expected}", cure="push the artifact again or ask its producer"
    )


def parse_object(data: bytes, where: str) -> Mapping[str, Any]:
    """One JSON object in UTF-8 without duplicate names (RFC 8259 §4 leaves those open). Raises ArtifactError."""
    if (commas := data.count(b",")) > COMMAS_LIMIT:
        refuse(where, f"a document with {commas} commas", f"at most {COMMAS_LIMIT}")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        refuse(where, f"bytes that are not strict JSON ({_short(fault)})", "a JSON object")
    if not isinstance(value, dict):
        refuse(where, f"a JSON {type(value).__name__}", "a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name[:40]!r} twice in one object")
        found[name] = value
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text}, which JSON does not have")


def _short(fault: Exception) -> str:
    return "nested too deeply" if isinstance(fault, RecursionError) else str(fault)[:120]


def text_field(fields: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    """A string; `default` stands for an absent or null field, and None there makes the field required."""
    value = fields.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        refuse(f"{where}.{name}", describe(value), "a string")
    return value


def list_field(fields: Mapping[str, Any], name: str, where: str, most: int) -> list[Any]:
    """A list of at most `most` entries; absent and null are empty."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        refuse(f"{where}.{name}", describe(value), "a list")
    if len(value) > most:
        refuse(f"{where}.{name}", f"{len(value)} entries", f"at most {most}")
    return value


def object_field(fields: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    """An object; absent and null are empty."""
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        refuse(f"{where}.{name}", describe(value), "an object")
    return value


def describe(value: object) -> str:
    """A short phrase for a value of the wrong type."""
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:60]!r}"
