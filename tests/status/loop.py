"""A pass after another without a cluster: the registry is a mapping, and a Deployment knows which digests work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.parse import read
from wherry.spec.status import ArtifactStatus, Status
from wherry_operator.conditions import Verdict
from wherry_operator.status import rollback
from wherry_operator.status.compute import compute
from wherry_operator.status.facts import Facts
from wherry_operator.supply.supplied import Supplied

REPOSITORY = "ghcr.io/acme/hello"
VERIFIED = Verdict("Unknown", "NotAsked")


def digest(number: int) -> str:
    return f"sha256:{number:064d}"


@dataclass
class Loop:
    """tags: what the registry has. works: digests that come up. asked: references that the registry was asked for."""

    tags: dict[str, str]
    works: set[str]
    spec: dict[str, Any]
    refresh: str = ""
    status: Status = field(default_factory=Status)
    asked: list[str] = field(default_factory=list)
    deployed: str = ""
    generation: int = 1
    _seconds: int = 0

    def edit(self, **spec: Any) -> None:
        """Fields of the spec; None removes one."""
        self.spec = {name: value for name, value in (self.spec | spec).items() if value is not None}
        self.generation += 1

    def app(self) -> WasmApp:
        head = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "hello"}}
        return replace(read(head | {"spec": self.spec}, "app"), status=self.status)

    def run(self) -> Status:
        """One pass, as the operator makes it."""
        app = self.app()
        found = self._look_up(app, rollback.sought(app))
        reference = rollback.instead(app, found)
        supplied = rollback.settled(app, found, self._look_up(app, reference) if reference else None)
        if supplied.artifact:
            self.deployed = supplied.artifact.digest
        self.status = compute(app, self.generation, Facts(supplied, children=tuple(self._children())), self._now())
        return self.status

    def rest(self) -> Status:
        """Passes until nothing changes."""
        for _ in range(10):
            before = self.status
            if self.run() == before:
                return before
        raise AssertionError("the status does not come to rest")

    def reason(self, kind: str = "Ready") -> str:
        return next(each.reason for each in self.status.conditions if each.type == kind)

    def _look_up(self, app: WasmApp, reference: str) -> Supplied:
        """As supply does it: what is remembered is asked for again only when the inputs change, or refresh is due."""
        known, inputs = app.status.artifact, f"{reference} {self.refresh}"
        if known and known.inputs == inputs and app.spec.pull.refresh == math.inf:
            return Supplied(known, Verdict("True", "Resolved"), VERIFIED)
        self.asked.append(reference)
        found = reference.partition("@")[2] or self.tags.get(reference, "")
        if not found:
            return Supplied(None, Verdict("False", "NotFound"), Verdict("Unknown", "NotChecked"))
        artifact = ArtifactStatus(reference=reference, digest=found, inputs=inputs, resolved_at=self._now())
        return Supplied(artifact, Verdict("True", "Resolved"), VERIFIED)

    def _children(self) -> Iterator[dict[str, Any]]:
        if not self.deployed:
            return
        good = self.deployed in self.works
        rollout = {"type": "Progressing", "reason": "NewReplicaSetAvailable" if good else "ProgressDeadlineExceeded"}
        yield {
            "kind": "Deployment",
            "metadata": {"name": "hello", "generation": 1},
            "spec": {"replicas": 1, "template": {"image": f"{REPOSITORY}@{self.deployed}"}},
            "status": {"observedGeneration": 1, "availableReplicas": 1, "conditions": [rollout]},
        }

    def _now(self) -> str:
        self._seconds += 1
        return f"2026-01-31T12:{self._seconds // 60:02d}:{self._seconds % 60:02d}Z"
