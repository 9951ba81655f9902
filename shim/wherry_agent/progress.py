"""What an agent remembers between two looks at its node: no I/O, the clock is passed in."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from wherry_agent.decision import Known, pause
from wherry_agent.installation import Mark
from wherry_agent.names import Order

FRESH = 1800.0
"""Seconds for which an installation that was found good byte for byte is believed to be."""


@dataclass(slots=True)
class Progress:
    """marked: as the node's object last said. attempts: installs, by how they ended. jitter: in [0, 1)."""

    marked: bool = False
    proven: bool = False
    order: Order | None = None
    answered: bool = False
    good: bool = False
    """Whether the last attempt succeeded: this version is what is installed."""
    attempts: Counter[str] = field(default_factory=lambda: Counter(succeeded=0, failed=0))
    jitter: Callable[[], float] = random.random
    _signature: tuple[Mark, ...] | None = None
    _fresh_until: float = 0.0
    _failures: int = 0
    _due: float = 0.0
    _well: float | None = None

    def known(self, now: float, *, installed: bool, healthy: bool, signature: tuple[Mark, ...]) -> Known:
        """healthy: the zygote lives, and containerd knows the runtime, as far as can be seen."""
        self._well = now if healthy or self._well is None else self._well
        return Known(
            ordered=self.order is not None,
            answered=self.answered,
            installed=installed,
            settled=signature == self._signature and now < self._fresh_until,
            proven=self.proven,
            sick=now - self._well,
            marked=self.marked,
            failures=self._failures,
            pause=self._due - now,
        )

    def obey(self, order: Order | None) -> None:
        """Another order, or none any more: what failed before says nothing of it."""
        if order != self.order:
            self.order, self.answered, self._failures, self._due = order, False, 0, 0.0

    def succeeded(self, now: float, signature: tuple[Mark, ...]) -> None:
        """An install did."""
        self.attempts["succeeded"] += 1
        self._signature, self._fresh_until = signature, now + FRESH * (0.8 + 0.4 * self.jitter())
        self.good = self.proven = True
        self._failures, self._due, self._well = 0, 0.0, now

    def failed(self, now: float) -> float:
        """An install or uninstall did. Seconds until the next attempt."""
        self.attempts["failed"] += 1
        self.good = False
        self._failures += 1
        self._due = now + pause(self._failures)
        return self._due - now

    def withdrawn(self) -> None:
        """The label is gone: only another probe brings it back."""
        self.marked = self.proven = False
