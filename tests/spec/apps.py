"""WasmApps that are right and WasmApps that are wrong, for the parser and for a real API server alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wherry.spec.document import load

ARTIFACT = "ghcr.io/acme/hello:v1"
NAMES = ("a", "hello", "a-1", "x" * 52)
NOT_NAMES = ("", "Hello", "1a", "a.b", "a_b", "-a", "a-", "x" * 53, "a\n")


@dataclass(frozen=True)
class Row:
    """at: the path of the only wrong field, "" where all is right."""

    reason: str
    spec: dict[str, Any]
    at: str = ""


def document(spec: dict[str, Any], name: str = "hello") -> dict[str, Any]:
    """A whole WasmApp with the spec, and with an artifact where it has none."""
    return {
        "apiVersion": "wherry.dev/v1alpha1",
        "kind": "WasmApp",
        "metadata": {"name": name},
        "spec": {"artifact": ARTIFACT} | spec,
    }


def _rows(name: str) -> Iterator[Row]:
    table: Any = load((Path(__file__).parent / name).read_text())[0]
    for row in table:
        if "values" not in row:
            yield Row(row["reason"], row["spec"], row.get("at", ""))
        for value in row.get("values", ()):
            yield Row(f"{row['reason']} {value!r}", _filled(row["spec"], value), row.get("at", ""))


def _filled(spec: Any, value: object) -> Any:
    if isinstance(spec, dict):
        return {name: _filled(each, value) for name, each in spec.items()}
    if isinstance(spec, list):
        return [_filled(each, value) for each in spec]
    return value if spec == "VALUE" else spec


RIGHT = tuple(_rows("right.yaml"))
WRONG = tuple(_rows("wrong.yaml"))
