"""What runs to an end: a Job, or a CronJob that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry_operator import labels
from wherry_operator.desired.container import present
from wherry_operator.desired.given import Given
from wherry_operator.desired.hashing import short_hash
from wherry_operator.desired.template import template

HASH = 8
"""Hexadecimal digits in a Job's name."""


def job_name(given: Given) -> str:
    """The name says what is run: a Job is immutable, so another app, artifact or `wherry.dev/run-again` is another Job.

    What the cluster and the operator's settings add is left out, so that neither a changed Secret nor a new operator
    runs anything again.
    """
    job = given.spec.job
    again = given.app.metadata.annotations.get(labels.RUN_AGAIN, "")
    said = {"template": template(given.alone()), "completions": job and job.completions, "again": again}
    return f"{given.name}-{short_hash(said, HASH)}"


def job(given: Given, pods: Mapping[str, Any]) -> dict[str, Any]:
    """spec of a Job."""
    asked = given.spec.job
    settings = (
        {}
        if asked is None
        else present(
            backoffLimit=asked.backoff_limit,
            completions=asked.completions,
            parallelism=asked.parallelism,
            activeDeadlineSeconds=asked.active_deadline_seconds,
            ttlSecondsAfterFinished=asked.ttl_seconds_after_finished,
        )
    )
    return {**settings, "template": pods}


def cron_job(given: Given, pods: Mapping[str, Any]) -> dict[str, Any]:
    """spec of a CronJob."""
    cron, kept = given.spec.cron, given.spec.rollout.history_limit
    assert cron is not None  # noqa: S101  a rule of the spec
    return {
        "schedule": cron.schedule,
        **present(timeZone=cron.time_zone),
        "concurrencyPolicy": cron.concurrency_policy,
        "suspend": cron.suspend,
        "successfulJobsHistoryLimit": kept,
        "failedJobsHistoryLimit": kept,
        "jobTemplate": {"metadata": {"labels": labels.recommended(given.name)}, "spec": job(given, pods)},
    }
