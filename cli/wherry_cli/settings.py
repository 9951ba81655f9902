"""`--set PATH=VALUE`: one field of a WasmApp, for this run only.

A path is written as errors write it (`spec.limits.memory`, `spec.env[0].value`); a value is YAML, so that `8`, `true`
and `[a, b]` are what they look like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wherry.errors import InputError
from wherry.spec.document import Malformed, load
from wherry.spec.model import KIND

STEP = re.compile(r"(?P<name>[A-Za-z0-9_-]+)|\[(?P<index>[0-9]{1,4})\]")
PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+|\[[0-9]{1,4}\])*")


@dataclass(frozen=True)
class Setting:
    """A field and its value; `text` is what was typed."""

    steps: tuple[str | int, ...]
    value: object
    text: str

    def apply(self, document: Any) -> None:
        """Put the value into a document, making the mappings on the way. Raises InputError."""
        for step, following in zip(self.steps, self.steps[1:], strict=False):
            document = self._descend(document, step, [] if isinstance(following, int) else {})
        self._put(document, self.steps[-1], self.value)

    def _descend(self, parent: Any, step: str | int, fresh: object) -> Any:
        match parent, step:
            case (dict(), str()) if parent.get(step) is not None:
                return parent[step]
            case (list(), int()) if step < len(parent):
                return parent[step]
        self._put(parent, step, fresh)
        return fresh

    def _put(self, parent: Any, step: str | int, value: object) -> None:
        match parent, step:
            case (dict(), str()):
                parent[step] = value
            case (list(), int()) if step <= len(parent):
                parent[step : step + 1] = [value]
            case _:
                raise InputError(f"--set {self.text}: there is no place for {step!r} in the document")


def setting(text: str) -> Setting:
    """Read one PATH=VALUE. Raises InputError."""
    path, equals, value = text.partition("=")
    if not equals or not PATH.fullmatch(path):
        raise InputError(f"--set: got {text!r}, expected PATH=VALUE", cure="write --set spec.limits.memory=64Mi")
    steps = tuple(int(found["index"]) if found["index"] else found["name"] for found in STEP.finditer(path))
    try:
        values = load(value)
    except Malformed as error:
        raise InputError(f"--set {path}: got {error.got}, expected {error.expected}") from None
    return Setting(steps, values[0] if values else None, text)


def with_settings(text: str, settings: Sequence[Setting]) -> str:
    """The documents of text, with the settings in every WasmApp. The parser refuses what is no YAML."""
    try:
        documents = load(text) if settings else []
    except Malformed:
        return text
    if not documents:
        return text
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == KIND:
            for each in settings:
                each.apply(document)
    return "\n---\n".join(json.dumps(document, ensure_ascii=False) for document in documents)
