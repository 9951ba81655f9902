"""How far an artifact has come towards being what runs, and the condition Progressing that tells of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from wherry.spec.model import WasmApp
from wherry.spec.quantity import format_duration
from wherry.spec.status import ArtifactStatus, Rejected
from wherry_operator import labels
from wherry_operator.conditions import Verdict
from wherry_operator.manifest import Manifest
from wherry_operator.status import pods as of_pods
from wherry_operator.status import rollback
from wherry_operator.status.workload import State, Workload

SHORT = 19
"""Characters of a digest that tell it from others."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Of one artifact. why: what keeps its Pods from being ready, "" for nothing. rejected: with it, if it was late."""

    artifact: ArtifactStatus
    state: State
    why: str
    rejected: tuple[Rejected, ...]


def rollout(  # noqa: PLR0913, PLR0917  everything that bears on it
    app: WasmApp, artifact: ArtifactStatus, workload: Workload | None, pods: Iterable[Manifest], why: str, now: str
) -> Rollout:
    """now: as `wherry.spec.status.TIME`."""
    state = _state(app, workload, pods, artifact.digest, now)
    rejected = rollback.rejected(app, artifact)
    if state == "late":
        rejected = rollback.put_away(app, artifact, _late(app, artifact.digest, why), now)
    return Rollout(artifact, state, why, rejected[: app.spec.rollout.history_limit])


def progressing(app: WasmApp, rollout: Rollout) -> Verdict:
    """Of an app whose objects could be written."""
    digest = rollout.artifact.digest
    if digest in {each.digest for each in rollout.rejected} or rollback.stands_in(app, rollout.artifact):
        return Verdict("False", "RolledBack", f"the last good revision runs instead: {rollout.rejected[0].reason}")
    if rollout.state == "late":
        return Verdict("False", "DeadlineExceeded", _late(app, digest, rollout.why))
    if rollout.state == "complete":
        asked = ", as spec.rollback asks" if rollback.in_force(app) else ""
        return Verdict("True", "Complete", f"{digest[:SHORT]} is rolled out{asked}")
    return Verdict("True", "RollingOut", _with(f"{digest[:SHORT]} is being rolled out", rollout.why))


def _state(app: WasmApp, workload: Workload | None, pods: Iterable[Manifest], digest: str, now: str) -> State:
    """A workload that does not name the digest yet is rolling.

    A DaemonSet's controller neither forgives Pods that fail after the rollout nor knows of deadlines: we do it.
    """
    if workload is None or not of_pods.names(workload.manifest, digest):
        return "rolling"
    if workload.kind != "DaemonSet" or workload.state == "complete":
        return workload.state
    if workload.state == "replaced" and app.status.revisions[:1] and app.status.revisions[0].digest == digest:
        return "complete"
    return "late" if _waited(pods, digest, now) > app.spec.rollout.progress_deadline else "rolling"


def _waited(pods: Iterable[Manifest], digest: str, now: str) -> float:
    """Seconds that the oldest Pod of a digest has been there without being ready."""
    waiting = (pod for pod in pods if of_pods.waits(pod) and of_pods.names(pod, digest))
    oldest = min((pod["metadata"].get("creationTimestamp") or now for pod in waiting), default=now)
    return (datetime.fromisoformat(now) - datetime.fromisoformat(oldest)).total_seconds()


def _late(app: WasmApp, digest: str, why: str) -> str:
    deadline = format_duration(app.spec.rollout.progress_deadline)
    unknown = f"`kubectl describe pods -l {labels.APP}={app.metadata.name}` shows what its Pods wait for"
    return _with(f"{digest[:SHORT]} did not become available within {deadline}", why or unknown)


def _with(sentence: str, why: str) -> str:
    return f"{sentence}: {why}" if why else sentence
