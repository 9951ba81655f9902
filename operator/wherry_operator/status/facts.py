"""What one pass found."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.errors import InvalidApp
from wherry.spec.status import Trap
from wherry_operator.conditions import Verdict
from wherry_operator.manifest import Manifest
from wherry_operator.supply.supplied import Supplied


@dataclass(frozen=True, slots=True)
class Facts:
    """invalid: why the spec cannot be read; then nothing else was looked at, and what runs goes on.

    children, pods: as the API server last told. ready_nodes: nodes with the runtime's label, None when not known.
    applied: a failure to write a child. warnings: of the spec, which do not stop it. traps: of http requests, from the
    node agent's Events.
    """

    supplied: Supplied | None = None
    invalid: InvalidApp | None = None
    applied: Verdict | None = None
    children: tuple[Manifest, ...] = ()
    pods: tuple[Manifest, ...] = ()
    ready_nodes: int | None = None
    warnings: tuple[str, ...] = ()
    traps: tuple[Trap, ...] = ()
