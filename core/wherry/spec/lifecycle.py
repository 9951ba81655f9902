"""How many run, when, and how they are replaced."""

from __future__ import annotations

from typing import Literal

from wherry.spec.measure import CountOrPercent, duration
from wherry.spec.names import DIGEST, REFERENCE, TIME_ZONE
from wherry.spec.record import field, record
from wherry.spec.rules import at_least_one, exactly_one, ordered
from wherry.spec.schedule import EXPECTED, MAX_SCHEDULE, RULES, SCHEDULE, parse_schedule
from wherry.spec.shape import EXACT, Boolean, Choice, Integer, Notation

ConcurrencyPolicy = Literal["Allow", "Forbid", "Replace"]
SCHEDULE_SHAPE = Notation(parse_schedule, str, SCHEDULE, EXPECTED, most=MAX_SCHEDULE, rules=RULES)


@record(ordered("min", "max"), at_least_one("cpu", "memory"))
class Autoscaling:
    min: int = field(Integer(1), "Fewest replicas.", default=1)
    max: int = field(Integer(1), "Most replicas.")
    cpu: int | None = field(Integer(1, 1000), "CPU to aim at, in percent of the request.", default=None)
    memory: int | None = field(Integer(1, 1000), "Memory to aim at, in percent of the request.", default=None)


@record()
class Job:
    backoff_limit: int | None = field(Integer(), "Retries before the Job fails.", default=None)
    completions: int | None = field(Integer(), "Runs that must succeed.", default=None)
    parallelism: int | None = field(Integer(), "Runs at once.", default=None)
    active_deadline_seconds: int | None = field(Integer(1, EXACT), "Seconds until the Job is ended.", default=None)
    ttl_seconds_after_finished: int | None = field(
        Integer(), "Seconds until a finished Job is removed.", default=None, name="ttlSecondsAfterFinished"
    )


@record()
class Cron:
    schedule: str = field(SCHEDULE_SHAPE, 'When to run: "*/5 * * * *", @hourly, @every 90m.')
    time_zone: str | None = field(
        TIME_ZONE, "Time zone of the schedule; the controller manager's when absent.", default=None
    )
    concurrency_policy: ConcurrencyPolicy = field(
        Choice(("Allow", "Forbid", "Replace")), "What happens when the last run has not ended.", default="Allow"
    )
    suspend: bool = field(Boolean(), "Whether to start no more runs.", default=False)


@record(exactly_one("minAvailable", "maxUnavailable"))
class Disruption:
    min_available: int | str | None = field(CountOrPercent(), "Pods that must stay.", default=None)
    max_unavailable: int | str | None = field(CountOrPercent(), "Pods that may go.", default=None)


@record()
class Rollout:
    automatic_rollback: bool = field(
        Boolean(), "Whether a digest that does not become available is put away for the last good one.", default=False
    )
    progress_deadline: float = field(duration("1s"), "How long a rollout may take.", default=600.0)
    history_limit: int = field(Integer(1, 100), "Revisions and finished Jobs that are kept.", default=10)


@record()
class Rollback:
    digest: str = field(DIGEST, "Digest of the revision to run.")
    artifact: str = field(REFERENCE, "spec.artifact as it was when this was written; without effect once that changes.")
