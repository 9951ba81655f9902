"""What an app may run: remembered while nothing that it was found from has changed, looked for otherwise."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from wherry.errors import InvalidReference, RegistryError, WherryError
from wherry.oci.credentials import candidates
from wherry.oci.reference import Reference, parse
from wherry.spec.model import WasmApp
from wherry.spec.status import ArtifactStatus
from wherry_operator.conditions import Verdict
from wherry_operator.labels import REFRESH
from wherry_operator.manifest import Key
from wherry_operator.supply import demands, verdicts
from wherry_operator.supply.backoff import Backoff
from wherry_operator.supply.demands import Demand
from wherry_operator.supply.flight import Flights, in_thread
from wherry_operator.supply.hosts import OUTAGES, Hosts, Waiting
from wherry_operator.supply.inputs import inputs_of, same_place, same_trust
from wherry_operator.supply.look import Found, Place, Question, SignatureRefused, look
from wherry_operator.supply.memory import Memory
from wherry_operator.supply.policy import Policy
from wherry_operator.supply.pull_secrets import keychains
from wherry_operator.supply.refresh import Rounds
from wherry_operator.supply.refusal import Refused
from wherry_operator.supply.secrets import Secrets
from wherry_operator.supply.supplied import Supplied

TRANSFERS = 16
"""Looks at once, whatever the hosts; a thread each."""
FIRST, OUTAGE, LAST = 2.0, 60.0, 300.0
RECHECK = 60.0
"""Seconds after which what is missing in the cluster is looked for again, if nobody tells of it before."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One app's question before anybody knows who asks. kept: what stays if there is no better answer."""

    app: Key
    text: str
    reference: Reference
    demands: tuple[Demand, ...]
    inputs: str
    remembered: ArtifactStatus | None

    @property
    def current(self) -> ArtifactStatus | None:
        found = self.remembered
        return found if found and found.inputs == self.inputs else None

    @property
    def kept(self) -> ArtifactStatus | None:
        """What was found at this reference under the same demands: no fault and no outage takes it away."""
        found = self.remembered
        if found is None or not same_trust(found.inputs, self.inputs):
            return None
        return found if found.reference == self.text or same_place(found.inputs, self.inputs) else None


@dataclass(frozen=True, slots=True)
class _Failure:
    """The last answer to an app's question, which is given again until then."""

    question: Question
    error: WherryError
    until: float


class Supplier:
    """Belongs to one event loop, which it never blocks. clock: seconds since the epoch. jitter: in [0, 1)."""

    def __init__(
        self,
        place: Place,
        secrets: Secrets,
        transfers: int = TRANSFERS,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._place = place
        self._secrets = secrets
        self._clock = clock
        self._jitter = jitter
        self._hosts = Hosts(clock, jitter)
        self._transfers = asyncio.Semaphore(transfers)
        self._flights: Flights[Question, Found] = Flights()
        self._memory = Memory()
        self._rounds = Rounds(jitter)
        self._backoff: Backoff[Key] = Backoff(FIRST, LAST, jitter)
        self._failures: dict[Key, _Failure] = {}

    async def supply(self, app: WasmApp, policy: Policy, wanted: str = "") -> Supplied:
        """What the app may run. Raises nothing that a user, a registry or an artifact can cause.

        wanted: a reference in place of spec.artifact, as `repository@digest` of a revision. Its answer is for these
        inputs: the app's own reference is looked up anew once it is wanted again.
        """
        text = wanted or app.spec.artifact
        key = Key(app.metadata.namespace or "default", app.metadata.name)
        try:
            question = await self._wanted(app, key, text, policy)
        except InvalidReference as error:
            return Supplied(None, verdicts.unresolved(error, kept=False), verdicts.NOT_CHECKED)
        except Refused as refused:
            return self._refused(refused, None, verdicts.NOT_CHECKED)
        period = math.inf if question.reference.digest else app.spec.pull.refresh
        left = self._rounds.left(key, period, self._clock())
        if question.current and left:
            return _accepted(question.current, left)
        return await self._looked_up(app, question, period)

    def forget(self, app: Key) -> None:
        """The app is gone."""
        self._rounds.forget(app)
        self._failures.pop(app, None)
        self._backoff.succeeded(app)

    def close(self) -> None:
        """Nobody waits for a registry any longer."""
        self._flights.close()

    async def _wanted(self, app: WasmApp, key: Key, text: str, policy: Policy) -> _Wanted:
        reference = parse(text)
        asked = demands.of_policy(policy, reference)
        asked += await demands.of_app(app.spec.verify, key.namespace, self._secrets)
        inputs = inputs_of(text, app.metadata.annotations.get(REFRESH, ""), asked)
        return _Wanted(key, text, reference, asked, inputs, app.status.artifact)

    async def _looked_up(self, app: WasmApp, wanted: _Wanted, period: float) -> Supplied:
        try:
            chains = await keychains(app.spec, wanted.app.namespace, self._secrets)
            refresh = app.metadata.annotations.get(REFRESH, "")
            question = Question(wanted.reference, candidates(chains, wanted.reference), wanted.demands, refresh)
            found = await self._answer(wanted.app, question)
        except Refused as refused:
            return self._refused(refused, wanted.kept, verdicts.unchecked(wanted.demands))
        except WherryError as error:
            return self._failed(wanted, error)
        self._rounds.looked(wanted.app, self._clock())
        return _accepted(self._status(wanted, found), period)

    async def _answer(self, app: Key, question: Question) -> Found:
        """Raises WherryError: that of a moment ago, while it is too early to ask again."""
        last = self._failures.get(app)
        if last and last.question == question and self._clock() < last.until:
            raise last.error
        try:
            found = await self._flights.join(question, lambda: self._ask(question))
        except Waiting as waiting:
            until = self._clock() + (waiting.retry_after or 0.0) * (1 + self._jitter() / 4)
            told = last.error if last and last.question == question else waiting
            self._failures[app] = _Failure(question, told, until)
            raise told from None
        except WherryError as error:
            until = self._backoff.failed(app, self._clock(), at_most=_longest(error))
            self._failures[app] = _Failure(question, error, until)
            raise
        self._backoff.succeeded(app)
        self._failures.pop(app, None)
        return found

    async def _ask(self, question: Question) -> Found:
        async with self._hosts.turn(question.reference.host), self._transfers:
            found = await in_thread(lambda: look(question, self._place, self._memory.recall))
        self._memory.keep(question.at(found.digest), found)
        return found

    def _failed(self, wanted: _Wanted, error: WherryError) -> Supplied:
        again = max(0.0, self._failures[wanted.app].until - self._clock())
        if isinstance(error, SignatureRefused):
            return Supplied(wanted.kept, verdicts.resolved(error.digest), verdicts.refused(error), again)
        told = verdicts.unresolved(error, kept=wanted.kept is not None)
        verified = verdicts.verified(wanted.kept) if wanted.kept else verdicts.unchecked(wanted.demands)
        return Supplied(wanted.kept, told, verified, again)

    def _refused(self, refused: Refused, kept: ArtifactStatus | None, verified: Verdict) -> Supplied:
        again = RECHECK * (1 + self._jitter() / 2)
        if refused.about == "Verified":
            return Supplied(kept, verdicts.NOT_TRIED, refused.verdict, again)
        return Supplied(kept, refused.verdict, verdicts.verified(kept) if kept else verified, again)

    def _status(self, wanted: _Wanted, found: Found) -> ArtifactStatus:
        before = wanted.remembered
        moved = before is None or (before.digest, before.reference) != (found.digest, wanted.text)
        now = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return ArtifactStatus(
            reference=wanted.text,
            digest=found.digest,
            index=found.index,
            wasm=found.wasm,
            entrypoint=found.entrypoint,
            kind=found.binary.kind,
            world=found.binary.world,
            imports=found.binary.imports,
            exports=found.binary.exports,
            size=found.binary.size,
            signed_by=found.signed_by,
            resolved_at=now if moved or before is None else before.resolved_at,
            inputs=wanted.inputs,
        )


def _longest(error: WherryError) -> float:
    """An outage ends by itself, and soon; what a person must mend may wait, and a registry counts questions."""
    return OUTAGE if isinstance(error, RegistryError) and error.kind in OUTAGES else LAST


def _accepted(artifact: ArtifactStatus, again: float) -> Supplied:
    resolved, verified = verdicts.resolved(artifact.digest), verdicts.verified(artifact)
    return Supplied(artifact, resolved, verified, None if math.isinf(again) else again)
