"""docs/operator-settings.md, made from the settings themselves."""

from __future__ import annotations

import sys
from dataclasses import Field, fields
from typing import Any

from wherry_operator.settings import PREFIX, Settings

HEAD = """# Settings of the operator

Environment variables of the operator's container. This page is generated.

| variable | what it means | expected | default |
|---|---|---|---|
"""


def page() -> str:
    """The page, in Markdown."""
    return HEAD + "".join(map(_row, fields(Settings)))


def _row(each: Field[Any]) -> str:
    name, known = PREFIX + each.name.upper(), each.metadata
    return f"| `{name}` | {known['doc']} | {known['expected']} | {_default(each.default)} |\n"


def _default(value: object) -> str:
    if value in (None, "", ()):
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
