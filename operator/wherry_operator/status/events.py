"""Kubernetes Events of a WasmApp: what changed between two statuses that a person should hear of.

Two on the way up: what was found, and that it runs. The same trouble is told once, however long it lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from wherry.spec.status import Condition, ConditionType, Status
from wherry_operator.conditions import about

LONGEST = 1024
"""Characters of an Event's message that Kubernetes takes."""
CAUSES: tuple[ConditionType, ...] = ("Resolved", "Verified", "Available", "Progressing")
"""Ready only sums up."""


@dataclass(frozen=True, slots=True)
class Event:
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def events(before: Status, after: Status) -> tuple[Event, ...]:
    """In the order of their causes."""
    return (*_resolved(before, after), *_warnings(before, after), *_running(before, after), *_trapped(before, after))


def _resolved(before: Status, after: Status) -> Iterator[Event]:
    known, found = before.artifact, after.artifact
    if found is not None and (known is None or known.digest != found.digest):
        signed = f", signed by {' and '.join(found.signed_by)}" if found.signed_by else ""
        yield _event("Normal", "Resolved", f"{found.reference} is {found.digest}{signed}")


def _warnings(before: Status, after: Status) -> Iterator[Event]:
    for kind in CAUSES:
        now, then = _condition(after, kind), _condition(before, kind)
        if now and _is_trouble(now) and (then is None or then.reason != now.reason):
            yield _event("Warning", now.reason, now.message)


def _running(before: Status, after: Status) -> Iterator[Event]:
    """A digest that does its work for the first time, or an app that does it again."""
    newest = after.revisions[:1]
    if newest and [each.digest for each in newest] != [each.digest for each in before.revisions[:1]]:
        yield _event("Normal", "RolledOut", f"{newest[0].digest} runs")
        return
    now, then = _condition(after, "Available"), _condition(before, "Available")
    if now and then and now.status == "True" and _is_trouble(then):
        yield _event("Normal", now.reason, now.message)


def _trapped(before: Status, after: Status) -> Iterator[Event]:
    """Of an app that serves on; that of another is told with Available."""
    trap, known, running = after.last_trap, before.last_trap, _condition(after, "Available")
    new = trap and (known is None or (known.reason, known.message) != (trap.reason, trap.message))
    if trap and new and running and running.status == "True":
        yield _event("Warning", "GuestTrapped", f"{trap.pod}: {trap.reason}: {trap.message}")


def _is_trouble(condition: Condition) -> bool:
    known = about(condition.type, condition.reason)
    return known is not None and bool(known.cure)


def _condition(status: Status, kind: ConditionType) -> Condition | None:
    return next((each for each in status.conditions if each.type == kind), None)


def _event(kind: Literal["Normal", "Warning"], reason: str, message: str) -> Event:
    return Event(kind, reason, message[:LONGEST])
