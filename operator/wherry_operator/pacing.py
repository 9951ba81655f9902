"""When a status is written: at once where somebody waits for it, a moment later where it is only on its way.

A rollout tells of every Pod; most of what it tells is overtaken within seconds. An http app whose Pods start in that
time gets to ready with two writes of its status.
"""

from __future__ import annotations

from collections.abc import Callable

from wherry.spec.status import Condition, Status
from wherry_operator.conditions import about
from wherry_operator.manifest import Key

MOMENT = 10.0
"""Seconds for which news of progress wait for more: where fifty apps start at once, most of them are ready by then."""


class Pacing:
    """clock: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[Key, float] = {}

    def left(self, key: Key, before: Status, after: Status) -> float:
        """Seconds until `after` is to be written in place of `before`; 0 for now."""
        if is_urgent(before, after):
            return 0.0
        since = self._since.setdefault(key, self._clock())
        return max(0.0, since + MOMENT - self._clock())

    def settled(self, key: Key) -> None:
        """What is written is what is; or the app is gone."""
        self._since.pop(key, None)


def is_urgent(before: Status, after: Status) -> bool:
    """What a person or a program waits for: the digest, ready or not, and whatever has a cure.

    Also which Job was made: one that removes itself when it ends would run again.
    """
    return _noted(before) != _noted(after) or _told(before) != _told(after)


def _noted(status: Status) -> tuple[object, ...]:
    return status.artifact, status.rejected, status.last_job, status.last_trap


def _told(status: Status) -> set[tuple[str, str]]:
    ready = {(each.type, each.status) for each in status.conditions if each.type == "Ready"}
    return ready | {(each.type, each.reason) for each in status.conditions if _has_cure(each)}


def _has_cure(condition: Condition) -> bool:
    known = about(condition.type, condition.reason)
    return known is not None and bool(known.cure)
