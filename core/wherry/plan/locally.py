"""Which fields of a WasmApp mean nothing without a cluster."""

from __future__ import annotations

import dataclasses

from wherry.spec.model import Spec, WasmApp
from wherry.spec.record import Record

USED = frozenset(
    {"artifact", "verify", "run", "args", "env", "env_from", "capabilities", "limits", "port"},
)


def ignored(app: WasmApp) -> tuple[str, ...]:
    """Paths of the fields that were set and have no meaning on one machine, in the document's order."""
    names = {member.attribute: member.name for member in Record(Spec).members.values()}
    blank = Spec(artifact=app.spec.artifact)
    changed = [
        names[each.name]
        for each in dataclasses.fields(app.spec)
        if each.name not in USED and getattr(app.spec, each.name) != getattr(blank, each.name)
    ]
    return tuple(f"spec.{name}" for name in changed)
