"""Making an app's children what they should be: what is superfluous goes, what differs is applied, the rest is left."""

from __future__ import annotations

from collections.abc import Iterable

from wherry.cluster.failures import ClusterError, NotFound, Unavailable
from wherry.spec.model import KIND, WasmApp
from wherry_operator.cluster.observed import Observed
from wherry_operator.cluster.writing import Cluster
from wherry_operator.conditions import Verdict
from wherry_operator.desired.drift import needs_apply, to_apply
from wherry_operator.desired.kinds import DEPLOYMENT
from wherry_operator.desired.prune import superfluous
from wherry_operator.manifest import Identity, Key, Manifest

FAILED = "ApplyFailed"


class Children:
    """Of all apps; keeps nothing itself."""

    def __init__(self, observed: Observed, cluster: Cluster) -> None:
        self._observed = observed
        self._cluster = cluster

    async def make(self, key: Key, app: WasmApp, uid: str, wanted: Iterable[Manifest]) -> Verdict | None:
        """None when all is as wanted, else what went wrong, as a verdict of Progressing.

        Raises NotFound when the namespace or the app is gone.
        """
        wanted, observed = tuple(wanted), {Identity.of(each): each for each in self._observed.children(key)}
        try:
            for identity in superfluous(app, uid, wanted, observed.values()):
                await self._cluster.delete(identity, observed[identity]["metadata"]["uid"])
            for each in wanted:
                if taken := await self._apply(each, observed.get(Identity.of(each)), uid, app.status.last_job):
                    return taken
        except NotFound:
            raise
        except Unavailable as error:
            return Verdict("False", FAILED, str(error))
        except ClusterError as error:
            return Verdict("False", "ApplyRefused", str(error))
        return None

    async def _apply(self, wanted: Manifest, observed: Manifest | None, uid: str, last_job: str) -> Verdict | None:
        """Apply it if need be, unless it is somebody else's."""
        identity = Identity.of(wanted)
        live = observed or await self._cluster.get(identity)
        if taken := _taken(identity, live, uid):
            return taken
        if not needs_apply(wanted, live, last_job):
            return None
        if live and (identity.api_version, identity.kind) == DEPLOYMENT and "replicas" not in wanted["spec"]:
            await self._cluster.hand_over_replicas(identity)
        self._observed.saw(await self._cluster.apply(to_apply(wanted, live)))
        return None


def _taken(identity: Identity, live: Manifest | None, uid: str) -> Verdict | None:
    """Whose it is, when it is not this app's. What an app of the same name left behind goes by itself."""
    if live is None:
        return None
    owner = next((each for each in live["metadata"].get("ownerReferences") or () if each.get("controller")), None)
    if owner and owner["uid"] == uid:
        return None
    named = f"{identity.kind} {identity.name}"
    if owner and owner["kind"] == KIND:
        return Verdict("False", FAILED, f"{named} of an earlier {KIND} {owner['name']} is still being removed")
    whose = f"belongs to {owner['kind']} {owner['name']}" if owner else "is there and belongs to nobody"
    return Verdict("False", "NameTaken", f"{named} {whose}; rename the {KIND}, or remove that {identity.kind}")
