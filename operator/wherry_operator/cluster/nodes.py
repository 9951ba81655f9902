"""How many nodes can run Wasm."""

from __future__ import annotations

from collections.abc import Callable

from wherry.cluster.informer import Name, name_of
from wherry_operator.manifest import Manifest


class Nodes:
    """A sink of an informer that sees nodes with the runtime's label. changed: called when the first comes or the last
    goes, as that is what an app's status tells of.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._names: set[Name] = set()

    def __len__(self) -> int:
        return len(self._names)

    def put(self, manifest: Manifest) -> None:
        self._become(self._names | {name_of(manifest)})

    def remove(self, manifest: Manifest) -> None:
        self._become(self._names - {name_of(manifest)})

    def keep(self, namespace: str, names: set[Name]) -> None:  # noqa: ARG002 - nodes have no namespace
        self._become(self._names & names)

    def _become(self, names: set[Name]) -> None:
        some = bool(self._names)
        self._names = names
        if some != bool(names):
            self._changed()
