"""What to do next on a node, from what is known of it. Pure: the agent's whole judgement is here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

PATIENCE = 10.0
"""Seconds for systemd to start the zygote again, and for containerd to come back, before somebody helps."""
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 600.0
"""Seconds between attempts that fail: each may restart containerd."""


class Step(Enum):
    REST = auto()
    INSTALL = auto()
    """Or repair, or upgrade: all the same."""
    MARK = auto()
    """The node gets its label: pods may come."""
    WITHDRAW = auto()
    """The label is taken away: no more pods come. Those that run stay."""
    UNINSTALL = auto()
    ANSWER = auto()
    """Whoever asked for the uninstall is told that nothing is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Of one moment.

    ordered: an uninstall is asked for. answered: and told what came of it. installed: a tree is in use.
    settled: everything is as the last good installation by this version left it, a short while ago.
    proven: a pod has run on it. sick: seconds without a zygote, or with a containerd that does not know the runtime.
    marked: the node has the label. failures: attempts in a row. pause: seconds until another may be made.
    """

    ordered: bool
    answered: bool
    installed: bool
    settled: bool
    proven: bool
    sick: float
    marked: bool
    failures: int
    pause: float


def decide(known: Known) -> Step:
    """One step at a time: after it, look again."""
    if known.ordered:
        return _towards_nothing(known)
    broken = not known.installed or known.sick >= PATIENCE
    if known.marked and broken and (known.failures or not known.installed):
        return Step.WITHDRAW
    if known.settled and known.proven and not broken:
        return Step.REST if known.marked else Step.MARK
    return Step.INSTALL if known.pause <= 0 else Step.REST


def _towards_nothing(known: Known) -> Step:
    """No new pods first, or there would be no end of them."""
    if known.marked:
        return Step.WITHDRAW
    if known.installed:
        return Step.UNINSTALL if known.pause <= 0 else Step.REST
    return Step.REST if known.answered else Step.ANSWER


def pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * float(1 << min(failures - 1, 16))) if failures else 0.0
