"""What one app wants, before any registry is asked: a reference, signatures, and what it had before."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.oci.reference import Reference, parse
from wherry.spec.model import WasmApp
from wherry.spec.status import ArtifactStatus, Status
from wherry_operator.labels import REFRESH
from wherry_operator.manifest import Identity, Key
from wherry_operator.supply import demands
from wherry_operator.supply.demands import Demand
from wherry_operator.supply.inputs import inputs_of, same_place, same_trust
from wherry_operator.supply.policy import Policy
from wherry_operator.supply.pull_secrets import named
from wherry_operator.supply.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Wanted:
    """text: the reference as it is written. inputs: of all of it. before: what the status remembers. index: that a
    revision of this digest came from, "" for none.
    """

    text: str
    reference: Reference
    refresh: str
    demands: tuple[Demand, ...]
    inputs: str
    before: ArtifactStatus | None
    index: str = ""

    @property
    def current(self) -> ArtifactStatus | None:
        """What is remembered, if it was found from just these inputs."""
        return self.before if self.before and self.before.inputs == self.inputs else None

    @property
    def kept(self) -> ArtifactStatus | None:
        """What is remembered, if it was found there under the same demands: no fault and no outage takes it away."""
        before = self.before
        if before is None or not same_trust(before.inputs, self.inputs):
            return None
        return before if before.reference == self.text or same_place(before.inputs, self.inputs) else None


def key_of(app: WasmApp) -> Key:
    """The app's name in a cluster."""
    return Key(app.metadata.namespace or "default", app.metadata.name)


async def wanted(app: WasmApp, text: str, policy: Policy, secrets: Secrets) -> Wanted:
    """text: the reference. Raises InvalidReference, Refused."""
    reference = parse(text)
    asked = demands.of_policy(policy, reference)
    asked += await demands.of_app(app.spec.verify, key_of(app).namespace, secrets)
    refresh = app.metadata.annotations.get(REFRESH, "")
    index = _index(app.status, reference.digest) if asked else ""
    return Wanted(text, reference, refresh, asked, inputs_of(text, refresh, asked), app.status.artifact, index)


def _index(status: Status, digest: str) -> str:
    current = (status.artifact,) if status.artifact else ()
    return next((each.index for each in (*current, *status.revisions) if digest and each.digest == digest), "")


def sources(app: WasmApp) -> frozenset[Identity]:
    """The ConfigMaps and Secrets whose change may give another answer, but for those of the service account."""
    namespace = key_of(app).namespace
    keys = [demands.source(key) for key in (app.spec.verify.keys if app.spec.verify else ())]
    found = {Identity("v1", kind, namespace, source.name) for kind, source in keys}
    return frozenset(found | {Identity("v1", "Secret", namespace, name) for name in named(app.spec)})
