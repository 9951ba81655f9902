"""Annotations by which agents, the uninstall hook and people who look understand each other."""

from __future__ import annotations

from dataclasses import dataclass

INSTALLED = "wherry.dev/installed"
"""Of a node: the tree that runs there."""
UNINSTALL = "wherry.dev/uninstall"
"""Of the DaemonSet: that every node is to be as it was. It goes when the DaemonSet goes."""
OUTCOME = "wherry.dev/uninstall-outcome"
"""Of an agent's Pod: what came of it there."""
REPORTER = "wherry.dev/wherry-agent"
"""Who writes our Events."""
READY = "ready"
"""The value of a node's label `wherry.dev/runtime`."""
_DONE = "done"


@dataclass(frozen=True, slots=True)
class Order:
    """To uninstall. id: different for each, so that an answer is known to be its own. force: end pods that run."""

    id: str
    force: bool

    @classmethod
    def parse(cls, text: str) -> Order | None:
        """None for an annotation that is absent or empty."""
        name, _, mode = text.partition(" ")
        return cls(name, mode == "force") if name else None

    def __str__(self) -> str:
        return f"{self.id} force" if self.force else self.id


@dataclass(frozen=True, slots=True)
class Outcome:
    """An agent's answer. fault: "" when the node is as it was."""

    order: str
    fault: str

    @classmethod
    def parse(cls, text: str) -> Outcome:
        order, _, said = text.partition(" ")
        return cls(order, "" if said == _DONE else said)

    def __str__(self) -> str:
        return f"{self.order} {self.fault or _DONE}"
