"""The last trap of an app: from termination messages, and from what the node agent tells of http requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from wherry.plan.ending import told
from wherry.spec.status import TIME, Trap
from wherry_operator.manifest import Manifest
from wherry_operator.status.pods import name

QUIET = timedelta(minutes=1)
"""For so long, the same trap again is not told: a server may trap with each request."""


def last(known: Trap | None, pods: Iterable[Manifest], traps: Iterable[Trap]) -> Trap | None:
    """The newest of all, limits and memory among them; `known` as long as it is that, or much the same."""
    found = max((*_of_pods(pods), *traps), key=lambda each: (each.time, each.pod), default=None)
    if known is None or found is None:
        return known or found
    same = (found.reason, found.message) == (known.reason, known.message)
    return found if _time(found) - _time(known) > (QUIET if same else timedelta()) else known


def _of_pods(pods: Iterable[Manifest]) -> Iterator[Trap]:
    for pod in pods:
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            for state in (status.get("state") or {}, status.get("lastState") or {}):
                yield from _of_termination(name(pod), state.get("terminated") or {})


def _of_termination(pod: str, terminated: Manifest) -> Iterator[Trap]:
    ending, time = told(terminated.get("message", "")), terminated.get("finishedAt") or ""
    if ending and ending.category != "start" and re.fullmatch(TIME.pattern, time):
        yield Trap(time=time, pod=pod, reason=ending.name, message=ending.account)


def _time(trap: Trap) -> datetime:
    return datetime.fromisoformat(trap.time)
