"""The page of every field of a WasmApp, from the same description as the parser and the CRD.

python -m wherry.spec.reference > docs/wasmapp-reference.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from wherry.spec.collection import Listing
from wherry.spec.model import API_VERSION, KIND, Spec
from wherry.spec.record import Member, Record
from wherry.spec.shape import Shape
from wherry.spec.status import Status

HEADER = f"""# {KIND} reference

Written by `python -m wherry.spec.reference`. Every field of a `{KIND}` of `{API_VERSION}`; an unknown
field is refused. A field without a default may be left out, unless it is required; null is the same as leaving it out.
"""


def render() -> str:
    """Markdown: a table for each object, in the order of the document."""
    tables = [table for name, cls in (("spec", Spec), ("status", Status)) for table in _tables(name, Record[Any](cls))]
    return "\n".join([HEADER, *tables])


def _tables(path: str, record: Record[Any]) -> Iterator[str]:
    rows = [_row(member) for member in record.members.values()]
    rules = [f"- `{rule.at or path}` expects {_escaped(rule.expected)}" for rule in record.rules]
    head = [f"## {path}", "", "| field | value | default | meaning |", "|---|---|---|---|"]
    yield "\n".join([*head, *rows, *([""] * bool(rules)), *rules, ""])
    for name, member in record.members.items():
        inner, suffix = _inner(member.shape)
        if inner:
            yield from _tables(f"{path}.{name}{suffix}", inner)


def _row(member: Member) -> str:
    return f"| `{member.name}` | {_escaped(member.phrase())} | {_default(member)} | {_escaped(member.doc)} |"


def _default(member: Member) -> str:
    if member.required:
        return "required"
    shown = member.schema().get("default")
    return "" if shown in (None, {}) else f"`{json.dumps(shown)}`"


def _inner(shape: Shape[Any]) -> tuple[Record[Any] | None, str]:
    """The record that a field holds, and what its path has behind the name."""
    if isinstance(shape, Listing):
        return _inner(shape.item)[0], "[]"
    return (shape, "") if isinstance(shape, Record) else (None, "")


def _escaped(text: str) -> str:
    """Markdown would read a bar as a column and a pair of stars as emphasis."""
    return text.replace("|", r"\|").replace("*", r"\*")


if __name__ == "__main__":
    sys.stdout.write(render())
