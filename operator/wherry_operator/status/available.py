"""Available: whether the app does its work now, whatever digest does it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wherry_operator.conditions import Verdict
from wherry_operator.manifest import Manifest
from wherry_operator.status import pods as of_pods
from wherry_operator.status.containers import Trouble
from wherry_operator.status.pods import Ground
from wherry_operator.status.workload import Workload

_JOB_NAMES = ("batch.kubernetes.io/job-name", "job-name")


def available(workload: Workload | None, pods: Sequence[Manifest], ground: Ground) -> Verdict:
    """From the workload's own counts; Pods say why where they do not suffice."""
    match workload:
        case None:
            return Verdict("False", "NotMade", "nothing was made yet")
        case Workload(kind="Job"):
            return _job(workload, pods, ground)
        case Workload(kind="CronJob"):
            return _cron_job(workload, pods, ground)
        case Workload(kind="DaemonSet", wanted=0):
            return Verdict("False", "NoNodes", of_pods.NO_NODES)
    return _running(workload, pods, ground)


def hindrance(pods: Iterable[Manifest], ground: Ground) -> Trouble | None:
    """What Pods that are to run on suffer from."""
    return of_pods.worst((pod for pod in pods if of_pods.waits(pod)), ground)


def _running(workload: Workload, pods: Sequence[Manifest], ground: Ground) -> Verdict:
    if workload.wanted == 0:
        return Verdict("True", "ScaledToZero", "no Pod is wanted")
    ready = f"{min(workload.available, workload.wanted)} of {workload.wanted} Pods ready"
    if workload.available >= workload.wanted:
        return Verdict("True", "Available", ready)
    trouble = hindrance(pods, ground)
    if workload.available:
        return Verdict("True", "PartlyAvailable", _joined(ready, trouble.message if trouble else workload.refused))
    if workload.refused and not trouble:
        return Verdict("False", "PodsRefused", workload.refused)
    return _held_up(trouble, "Pods are being started")


def _job(workload: Workload, pods: Sequence[Manifest], ground: Ground) -> Verdict:
    if workload.removed:
        return workload.removed
    if workload.outcome == "complete":
        return Verdict("True", "JobComplete", "the Job has succeeded")
    if workload.outcome == "failed":
        return Verdict("False", "JobFailed", _joined(workload.words, _failure(pods)))
    alive = [pod for pod in pods if of_pods.alive(pod)]
    trouble = of_pods.worst(alive, ground)
    if not trouble and any(of_pods.phase(pod) == "Running" for pod in alive):
        return Verdict("True", "JobRunning", _joined("the Job runs", _failure(pods)))
    waiting = "the Job is suspended" if workload.suspended else "the Job's Pod is being started"
    return _held_up(trouble, _joined(waiting, _failure(pods)))


def _cron_job(workload: Workload, pods: Sequence[Manifest], ground: Ground) -> Verdict:
    schedule = workload.manifest["spec"].get("schedule", "")
    if workload.suspended:
        return Verdict("True", "Suspended", "spec.cron.suspend is set")
    newest = _of_newest_run(pods)
    if trouble := of_pods.worst(filter(of_pods.alive, newest), ground):
        return Verdict("False", trouble.reason, trouble.message)
    if any(of_pods.phase(pod) == "Failed" for pod in newest[:1]):
        return Verdict("False", "JobFailed", _joined("the last run has failed", _failure(newest[:1])))
    return Verdict("True", "Scheduled", f"by the schedule {schedule}")


def _of_newest_run(pods: Iterable[Manifest]) -> list[Manifest]:
    """Pods of the run that started last, the newest first."""
    ordered = sorted(pods, key=_created, reverse=True)
    return [pod for pod in ordered if _run(pod) == _run(ordered[0])]


def _run(pod: Manifest) -> str:
    labels = pod["metadata"].get("labels") or {}
    return next((str(labels[each]) for each in _JOB_NAMES if each in labels), of_pods.name(pod))


def _failure(pods: Iterable[Manifest]) -> str:
    """What the newest failed Pod says, "" where none has failed."""
    failed = sorted((pod for pod in pods if of_pods.phase(pod) == "Failed"), key=_created)
    trouble = of_pods.trouble(failed[-1], Ground()) if failed else None
    return trouble.message if trouble else ""


def _created(pod: Manifest) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp", ""), of_pods.name(pod)


def _held_up(trouble: Trouble | None, otherwise: str) -> Verdict:
    if trouble:
        return Verdict("False", trouble.reason, trouble.message)
    return Verdict("False", "Starting", otherwise)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
