"""Traps of http requests, which the node's agent tells of in Events about Pods."""

from __future__ import annotations

from collections.abc import Callable

from wherry.cluster.informer import Name, name_of
from wherry.plan.ending import told
from wherry.spec.status import Trap
from wherry_operator.cluster.objects import app
from wherry_operator.manifest import Key, Manifest


class Traps:
    """A sink of an informer. app_of: the app of a Pod, for an Event that does not name it.

    Events are forgotten by the API server within an hour or so; whoever asks copies what is to stay.
    """

    def __init__(self, app_of: Callable[[Name], Key | None], changed: Callable[[Key], None]) -> None:
        self._app_of = app_of
        self._changed = changed
        self._by_event: dict[Name, tuple[Name, Key | None, Trap]] = {}

    def of(self, key: Key) -> tuple[Trap, ...]:
        """The latest first."""
        found = [trap for pod, app, trap in self._by_event.values() if (app or self._app_of(pod)) == key]
        return tuple(sorted(found, key=lambda trap: trap.time, reverse=True))

    def put(self, manifest: Manifest) -> None:
        regarding = manifest.get("regarding") or {}
        if regarding.get("kind") != "Pod":
            return
        pod = (regarding.get("namespace", ""), regarding.get("name", ""))
        entry = (pod, app(manifest), trap(manifest))
        if self._by_event.get(name_of(manifest)) != entry:
            self._by_event[name_of(manifest)] = entry
            if key := entry[1] or self._app_of(pod):
                self._changed(key)

    def remove(self, manifest: Manifest) -> None:
        self._by_event.pop(name_of(manifest), None)

    def keep(self, namespace: str, names: set[Name]) -> None:
        for name in [each for each in self._by_event if each not in names and namespace in ("", each[0])]:
            del self._by_event[name]


def trap(event: Manifest) -> Trap:
    """From an Event, whose note is a termination message: `trap/<reason>: sentence`, then the backtrace."""
    note, pod = event.get("note", ""), event["regarding"]["name"]
    ending = told(note)
    if ending is None:
        return Trap(time=_when(event), pod=pod, reason="trap/other", message=note)
    return Trap(time=_when(event), pod=pod, reason=ending.name, message=ending.account)


def _when(event: Manifest) -> str:
    """Of the last occurrence, to the second."""
    series = event.get("series") or {}
    times = (
        series.get("lastObservedTime"),
        event.get("deprecatedLastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    latest = next(filter(None, times), "1970-01-01T00:00:00Z")
    return f"{latest[:19]}Z"
