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

    supplied: what was rendered, which after `rollback.settled` need not be what the reference names.
    children: what was rendered, or what there is where nothing was; as the API server last told, without older Jobs.
    pods: all of the app. ready_nodes: nodes with the runtime's label, None when not known. applied: a failure to write
    a child, as a verdict of Progressing. missing: ConfigMaps and Secrets that the app needs and that are not there, as
    `Secret token`. warnings: of the spec, which do not stop it. traps: of http requests, from the node agent's Events.
    """

    supplied: Supplied | None = None
    invalid: InvalidApp | None = None
    applied: Verdict | None = None
    children: tuple[Manifest, ...] = ()
    pods: tuple[Manifest, ...] = ()
    ready_nodes: int | None = None
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    traps: tuple[Trap, ...] = ()
