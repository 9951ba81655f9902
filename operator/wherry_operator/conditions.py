"""Conditions of a WasmApp, their reasons and what each means: API, and the source of docs/conditions.md."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.spec.status import ConditionType, Truth

REASONS: dict[ConditionType, dict[str, str]] = {
    "Resolved": {
        "Resolved": "The reference names a runnable artifact, whose digest is in status.artifact.",
    },
}
"""By condition, every reason that it may have, with a sentence for the reference."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is so: the part of a condition that does not depend on when. reason is one of REASONS."""

    status: Truth
    reason: str
    message: str = ""
