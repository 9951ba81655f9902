"""docs/conditions.md, made from the reasons themselves.

python -m wherry_operator.status.reference > docs/conditions.md
"""

from __future__ import annotations

import sys

from wherry.spec.status import ConditionType
from wherry_operator.conditions import CONDITIONS, REASONS, Reason

HEAD = """# Conditions of a WasmApp

Every condition, and every reason that it may have. This page is generated.

An app has all five conditions from its first status on. `Ready` sums up the others: `kubectl wait` and tools that
follow kstatus, such as Flux, look at it and at `status.observedGeneration`. A message is for people and may change; a
condition, its status and its reason are API.

A reason with a cure makes a Warning among the app's Events when it comes.
"""

WHAT: dict[ConditionType, str] = {
    "Resolved": "Whether it is known which digest is meant, and that it can run.",
    "Verified": "Whether those who were asked for have signed that digest. Nothing runs that should be and is not.",
    "Available": "Whether the app does its work now, whichever of its digests does it.",
    "Progressing": "Whether what is wanted is on its way or there. `False` means that it does not get there as it is.",
    "Ready": "Whether everything is as the spec wants it. When it is not, the reason and the message are those of the "
    "first condition in the way: Resolved, Verified, Progressing, Available.",
}


def page() -> str:
    """The page, in Markdown."""
    return HEAD + "".join(_section(each) for each in CONDITIONS)


def _section(condition: ConditionType) -> str:
    head = f"\n## {condition}\n\n{WHAT[condition]}\n\n| reason | status | means | cure |\n|---|---|---|---|\n"
    return head + "".join(_row(name, reason) for name, reason in REASONS[condition].items())


def _row(name: str, reason: Reason) -> str:
    return f"| `{name}` | {', '.join(reason.status)} | {reason.meaning} | {reason.cure} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
