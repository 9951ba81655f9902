"""Which children of a WasmApp are wanted no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wherry.spec.model import WasmApp
from wherry_operator.desired.kinds import JOB, KINDS, Kind
from wherry_operator.manifest import Identity, Manifest

_ENDS = ("Complete", "Failed")


def superfluous(
    app: WasmApp, owner: str, wanted: Iterable[Manifest], observed: Iterable[Manifest]
) -> tuple[Identity, ...]:
    """What is to be removed before `wanted` is applied, so that a changed `run` leaves nothing of the old kind.

    owner: the app's uid; what it does not own is never among them. Of an app that is a Job, the last finished ones
    stay, as many as rollout.historyLimit; a Job that another one replaces before it has finished goes, as Pods of a
    Deployment do.
    """
    names = {Identity.of(each) for each in wanted}
    old = [each for each in observed if _is_ours(each, owner) and Identity.of(each) not in names]
    finished = [each for each in old if _kind(each) == JOB and is_finished(each)]
    is_job = any(name.kind == JOB.kind for name in names)
    kept = _newest(finished)[: app.spec.rollout.history_limit] if is_job else []
    return tuple(sorted(Identity.of(each) for each in old if each not in kept))


def is_finished(job: Manifest) -> bool:
    conditions = job.get("status", {}).get("conditions") or ()
    return any(each["type"] in _ENDS and each["status"] == "True" for each in conditions)


def _is_ours(manifest: Manifest, owner: str) -> bool:
    meta = manifest["metadata"]
    owners = [each["uid"] for each in meta.get("ownerReferences") or () if each.get("controller")]
    return owners == [owner] and _kind(manifest) in KINDS and "deletionTimestamp" not in meta


def _kind(manifest: Manifest) -> Kind:
    return Kind(manifest["apiVersion"], manifest["kind"])


def _newest(jobs: Sequence[Manifest]) -> list[Manifest]:
    return sorted(jobs, key=lambda job: (job["metadata"].get("creationTimestamp", ""), job["metadata"]["name"]))[::-1]
