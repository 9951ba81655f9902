"""One pass over one app: make the cluster match it, then say on it how far that got.

Level-based: whatever the reason for the pass, everything is read and everything computed, and what is already so is not
written again. The order is that of trust and of crashes: the digest is on the app before any child has it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from wherry.cluster.failures import NotFound, Replaced
from wherry.errors import InvalidApp
from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.parse import read
from wherry.spec.status import Status
from wherry_operator.children import Children
from wherry_operator.cluster.observed import Observed
from wherry_operator.cluster.writing import Cluster
from wherry_operator.desired.render import render
from wherry_operator.manifest import Identity, Key, Manifest
from wherry_operator.pacing import Pacing
from wherry_operator.status import rollback, written
from wherry_operator.status.compute import compute
from wherry_operator.status.events import events
from wherry_operator.status.facts import Facts
from wherry_operator.status.warnings import warnings
from wherry_operator.supply.policy import Policy
from wherry_operator.supply.supplied import Supplied
from wherry_operator.supply.supplier import Supplier
from wherry_operator.surroundings import Surroundings
from wherry_operator.working import Outcome

GONE = Outcome("gone")


@dataclass(frozen=True, slots=True)
class Subject:
    """The app of a pass: the object as it was read, and what it means with its last status."""

    key: Key
    body: Manifest
    app: WasmApp

    @property
    def uid(self) -> str:
        return str(self.body["metadata"]["uid"])


@dataclass(frozen=True, slots=True)
class Parts:
    """What passes are made with, all of one event loop."""

    observed: Observed
    cluster: Cluster
    supplier: Supplier
    surroundings: Surroundings
    policy: Policy


class Reconciler:
    """now: as `wherry.spec.status.TIME`. clock: seconds, monotonic."""

    def __init__(self, parts: Parts, now: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._observed = parts.observed
        self._cluster = parts.cluster
        self._children = Children(parts.observed, parts.cluster)
        self._pacing = Pacing(clock)
        self._now = now

    async def __call__(self, key: Key) -> Outcome:
        """Raises a ClusterError where the cluster does not let the pass get to its end."""
        body = self._observed.app(key)
        if body is None or "deletionTimestamp" in body["metadata"]:
            return self._forget(key)
        try:
            return await self._pass(Subject(key, body, _understood(body)))
        except InvalidApp as invalid:
            subject = Subject(key, body, written.unreadable(body))
            return await self._tell(subject, self._facts(key, self._observed.children(key), invalid=invalid))
        except (NotFound, Replaced):
            return await self._unless_there(key)

    async def _pass(self, subject: Subject) -> Outcome:
        """Raises InvalidApp for what only the artifact shows to be wrong."""
        supplied = await self._supplied(subject.app)
        around = await self._parts.surroundings.of(subject.app, subject.uid, supplied.artifact)
        if supplied.artifact is None:
            facts = self._facts(subject.key, self._observed.children(subject.key), supplied, missing=around.missing)
            return await self._tell(subject, facts, supplied.again)
        wanted = render(subject.app, supplied.artifact, around.context)
        if supplied.artifact != subject.app.status.artifact:
            subject = await self._pin(subject, supplied, wanted)
        applied = await self._children.make(subject.key, subject.app, subject.uid, wanted)
        facts = self._facts(
            subject.key, self._current(subject.key, wanted), supplied, applied=applied, missing=around.missing
        )
        facts = replace(facts, warnings=warnings(subject.app, supplied.artifact))
        return await self._tell(subject, facts, supplied.again)

    async def _supplied(self, app: WasmApp) -> Supplied:
        supply = partial(self._parts.supplier.supply, app, self._parts.policy)
        found = await supply(rollback.sought(app))
        reference = rollback.instead(app, found)
        return rollback.settled(app, found, await supply(reference) if reference else None)

    async def _pin(self, subject: Subject, supplied: Supplied, wanted: Iterable[Manifest]) -> Subject:
        """Write the digest down before anything runs it: whoever is killed now, the next pass asks no registry."""
        facts = self._facts(subject.key, self._current(subject.key, wanted), supplied)
        return await self._write(subject, self._computed(subject, facts))

    async def _tell(self, subject: Subject, facts: Facts, again: float | None = None) -> Outcome:
        """What the pass came to. A child that could not be written just now is tried again soon."""
        failed = facts.applied is not None and facts.applied.reason == "ApplyFailed"
        before, after = subject.app.status, self._computed(subject, facts)
        if _is_rolling_out(after):
            again = min(again or math.inf, subject.app.spec.rollout.progress_deadline)
        if after == before:
            self._pacing.settled(subject.key)
            return Outcome("at rest", again, failed=failed)
        if left := self._pacing.left(subject.key, before, after):
            return Outcome("on its way", min(left, again or left), failed=failed)
        await self._write(subject, after)
        return Outcome("told", again, failed=failed)

    def _computed(self, subject: Subject, facts: Facts) -> Status:
        return compute(subject.app, int(subject.body["metadata"]["generation"]), facts, self._now())

    async def _write(self, subject: Subject, after: Status) -> Subject:
        """The subject with its new status, of which Events tell."""
        before = subject.app.status
        self._observed.saw(await self._cluster.patch_status(subject.key, written.document(after), subject.uid))
        self._pacing.settled(subject.key)
        for each in events(before, after):
            await self._cluster.emit(subject.body, each)
        return replace(subject, app=replace(subject.app, status=after))

    def _facts(self, key: Key, children: Iterable[Manifest], supplied: Supplied | None = None, **rest: Any) -> Facts:
        return Facts(
            supplied=supplied,
            children=tuple(children),
            pods=self._observed.pods(key),
            ready_nodes=self._observed.ready_nodes(),
            traps=self._observed.traps(key),
            **rest,
        )

    def _current(self, key: Key, wanted: Iterable[Manifest]) -> list[Manifest]:
        """Of the children, those that are wanted now."""
        names = {Identity.of(each) for each in wanted}
        return [each for each in self._observed.children(key) if Identity.of(each) in names]

    async def _unless_there(self, key: Key) -> Outcome:
        """Something was not there. If it is the app, its deletion was not told; else the namespace may be going."""
        found = await self._cluster.get(Identity(API_VERSION, KIND, key.namespace, key.name))
        if found is None:
            return self._forget(key)
        self._observed.put_app(found)
        return Outcome("lost", failed=True)

    def _forget(self, key: Key) -> Outcome:
        self._observed.forget_app(key)
        self._pacing.settled(key)
        self._parts.supplier.forget(key)
        self._parts.surroundings.forget(key)
        return GONE


def _is_rolling_out(status: Status) -> bool:
    """Whether a deadline runs, of which no change of any object may tell."""
    return any((each.type, each.reason) == ("Progressing", "RollingOut") for each in status.conditions)


def _understood(body: Manifest) -> WasmApp:
    """Raises InvalidApp. A status of another version is read as far as it can be."""
    spec = {name: value for name, value in body.items() if name != "status"}
    key = f"{body['metadata']['namespace']}/{body['metadata']['name']}"
    return replace(read(spec, key), status=written.last(body))
