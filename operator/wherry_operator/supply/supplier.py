"""What an app may run: remembered while nothing that it was found from has changed, looked for otherwise."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from wherry.errors import InvalidReference, WherryError
from wherry.oci.credentials import candidates
from wherry.spec.model import WasmApp
from wherry.spec.status import ArtifactStatus
from wherry_operator.conditions import Verdict
from wherry_operator.manifest import Key
from wherry_operator.supply import verdicts
from wherry_operator.supply.desk import TRANSFERS, Desk
from wherry_operator.supply.look import Found, Place, Question, SignatureRefused
from wherry_operator.supply.policy import Policy
from wherry_operator.supply.pull_secrets import keychains
from wherry_operator.supply.refresh import Rounds
from wherry_operator.supply.refusal import Refused
from wherry_operator.supply.secrets import Secrets
from wherry_operator.supply.supplied import Source, Supplied
from wherry_operator.supply.wanted import Wanted, key_of, wanted

RECHECK = 60.0
"""Seconds after which what is missing in the cluster is looked for again, if nobody tells of it before."""


def _untold(_source: Source) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class Outside:
    """clock: seconds since the epoch. jitter: in [0, 1). count: told where each answer was."""

    clock: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    count: Callable[[Source], None] = _untold


class Supplier:
    """Belongs to one event loop, which it never blocks. transfers: looks at once, a thread each."""

    def __init__(
        self, place: Place, secrets: Secrets, transfers: int = TRANSFERS, outside: Outside | None = None
    ) -> None:
        outside = outside or Outside()
        self._secrets = secrets
        self._clock = outside.clock
        self._jitter = outside.jitter
        self._count = outside.count
        self._desk = Desk(place, transfers, outside.clock, outside.jitter)
        self._rounds = Rounds(outside.jitter)

    async def supply(self, app: WasmApp, policy: Policy, reference: str = "") -> Supplied:
        """What the app may run. Raises nothing that a user, a registry or an artifact can cause.

        reference: in place of spec.artifact, as `repository@digest` of a revision. What is found is for these inputs:
        spec.artifact is looked up anew once it is wanted again.
        """
        try:
            found = await wanted(app, reference or app.spec.artifact, policy, self._secrets)
        except InvalidReference as error:
            return Supplied(None, verdicts.unresolved(error, kept=False), verdicts.NOT_CHECKED)
        except Refused as refused:
            return self._refused(refused, None, verdicts.NOT_CHECKED)
        period = math.inf if found.reference.digest else app.spec.pull.refresh
        left = self._rounds.left(key_of(app), period, self._clock())
        if found.current and left:
            self._count("status")
            return _accepted(found.current, left)
        return await self._looked_up(app, found, period)

    def forget(self, app: Key) -> None:
        """The app is gone."""
        self._rounds.forget(app)
        self._desk.forget(app)

    def close(self) -> None:
        """Nobody waits for a registry any longer."""
        self._desk.close()

    async def _looked_up(self, app: WasmApp, want: Wanted, period: float) -> Supplied:
        key = key_of(app)
        try:
            chains = await keychains(app.spec, key.namespace, self._secrets)
            logins = candidates(chains, want.reference)
            found = await self._found(key, Question(want.reference, logins, want.demands, want.refresh, want.index))
        except Refused as refused:
            return self._refused(refused, want.kept, verdicts.unchecked(want.demands))
        if isinstance(found, WherryError):
            return self._failed(key, want, found)
        self._count("registry")
        self._rounds.looked(key, self._clock())
        return _accepted(self._status(want, found), period)

    async def _found(self, app: Key, question: Question) -> Found | WherryError:
        """An error of the registry or the artifact is an answer; one of the API server is not."""
        try:
            return await self._desk.answer(app, question)
        except WherryError as error:
            return error

    def _failed(self, app: Key, want: Wanted, error: WherryError) -> Supplied:
        self._count("nowhere")
        again, kept = self._desk.again(app), want.kept
        if isinstance(error, SignatureRefused):
            return Supplied(kept, verdicts.resolved(error.digest), verdicts.refused(error), again)
        told = verdicts.unresolved(error, kept=kept is not None)
        return Supplied(kept, told, verdicts.verified(kept) if kept else verdicts.unchecked(want.demands), again)

    def _refused(self, refused: Refused, kept: ArtifactStatus | None, verified: Verdict) -> Supplied:
        again = RECHECK * (1 + self._jitter() / 2)
        if refused.about == "Verified":
            return Supplied(kept, verdicts.NOT_TRIED, refused.verdict, again)
        return Supplied(kept, refused.verdict, verdicts.verified(kept) if kept else verified, again)

    def _status(self, want: Wanted, found: Found) -> ArtifactStatus:
        before = want.before
        same = before is not None and (before.digest, before.reference) == (found.digest, want.text)
        now = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return ArtifactStatus(
            reference=want.text,
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
            resolved_at=before.resolved_at if before and same else now,
            inputs=want.inputs,
        )


def _accepted(artifact: ArtifactStatus, again: float) -> Supplied:
    resolved, verified = verdicts.resolved(artifact.digest), verdicts.verified(artifact)
    return Supplied(artifact, resolved, verified, None if math.isinf(again) else again)
