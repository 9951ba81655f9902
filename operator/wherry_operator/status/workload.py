"""What the Deployment, DaemonSet, Job or CronJob of an app says of itself, in one form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from wherry_operator.conditions import Verdict
from wherry_operator.manifest import Manifest
from wherry_operator.status import pods as of_pods
from wherry_operator.status.pods import condition

State = Literal["rolling", "replaced", "complete", "late"]
Outcome = Literal["", "complete", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """manifest: the object itself. wanted: Pods that are to be; replicas, ready, available: that are.

    state: of replacing Pods of an older template; `replaced`: all are of the newest, not all available. refused: why
    Kubernetes does not let Pods be made. outcome and words: of a Job that has ended. suspended: starts nothing.
    removed: what is known of a Job that was made and is not there any more.
    """

    manifest: Manifest
    wanted: int = 0
    replicas: int = 0
    ready: int = 0
    available: int = 0
    state: State = "complete"
    refused: str = ""
    outcome: Outcome = ""
    words: str = ""
    suspended: bool = False
    removed: Verdict | None = None

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])


def find(children: Iterable[Manifest], pods: Iterable[Manifest]) -> Workload | None:
    """The app's workload; of several Jobs the newest. None where there is none."""
    found = [child for child in children if child["kind"] in _READERS]
    if not found:
        return None
    newest = max(found, key=lambda each: (each["metadata"].get("creationTimestamp", ""), each["metadata"]["name"]))
    return _READERS[newest["kind"]](newest, pods)


def _deployment(child: Manifest, _: Iterable[Manifest]) -> Workload:
    status, spec = child.get("status") or {}, child.get("spec") or {}
    return Workload(
        manifest=child,
        wanted=spec.get("replicas", 1),
        replicas=status.get("replicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        state=_rollout(child),
        refused=_refusal(condition(child, "ReplicaFailure")),
    )


def _rollout(child: Manifest) -> State:
    """As the Deployment's controller tells it, which forgives Pods that fail after the rollout."""
    if _behind(child):
        return "rolling"
    told: dict[str, State] = {"NewReplicaSetAvailable": "complete", "ProgressDeadlineExceeded": "late"}
    return told.get(condition(child, "Progressing").get("reason", ""), "rolling")


def _daemon_set(child: Manifest, _: Iterable[Manifest]) -> Workload:
    status = child.get("status") or {}
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    state: State = "rolling"
    if not _behind(child) and updated == wanted:
        state = "complete" if available == wanted else "replaced"
    return Workload(
        manifest=child,
        wanted=wanted,
        replicas=status.get("currentNumberScheduled", 0),
        ready=status.get("numberReady", 0),
        available=available,
        state=state,
    )


def _job(child: Manifest, _: Iterable[Manifest]) -> Workload:
    status = child.get("status") or {}
    failed = condition(child, "Failed")
    ended: Outcome = "complete" if _holds(condition(child, "Complete")) else "failed" if _holds(failed) else ""
    return Workload(
        manifest=child,
        wanted=1,
        replicas=status.get("active", 0),
        ready=status.get("ready", 0),
        outcome=ended,
        words=failed.get("message", ""),
        suspended=bool((child.get("spec") or {}).get("suspend")),
    )


def _cron_job(child: Manifest, pods: Iterable[Manifest]) -> Workload:
    alive = [pod for pod in pods if of_pods.alive(pod)]
    return Workload(
        manifest=child,
        replicas=len(alive),
        ready=sum(not of_pods.waits(pod) for pod in alive),
        suspended=bool((child.get("spec") or {}).get("suspend")),
    )


def _behind(child: Manifest) -> bool:
    """Whether the status is about an older spec than there is."""
    observed = (child.get("status") or {}).get("observedGeneration", 0)
    return bool(observed < child["metadata"].get("generation", 0))


def _holds(found: Manifest) -> bool:
    return found.get("status") == "True"


def _refusal(found: Manifest) -> str:
    return str(found.get("message", "")) if _holds(found) else ""


_READERS: Mapping[str, Callable[[Manifest, Iterable[Manifest]], Workload]] = {
    "Deployment": _deployment,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
}
