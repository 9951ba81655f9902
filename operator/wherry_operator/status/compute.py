"""A WasmApp's status, from the last one that was written and from what one pass found."""

from __future__ import annotations

from wherry.spec.model import WasmApp
from wherry.spec.status import Condition, ConditionType, Revision, Status
from wherry_operator import labels
from wherry_operator.conditions import CONDITIONS, Verdict
from wherry_operator.status import ended, revisions, traps, workload
from wherry_operator.status.available import available, hindrance
from wherry_operator.status.facts import Facts
from wherry_operator.status.pods import Ground
from wherry_operator.status.rollout import Rollout, progressing, rollout
from wherry_operator.status.url import url
from wherry_operator.status.workload import Workload
from wherry_operator.status.written import bounded

Verdicts = dict[ConditionType, Verdict]
WORKS = frozenset({"Available", "PartlyAvailable", "Scheduled", "JobComplete"})
"""Reasons of Available that show that a digest does what it is for."""
UNFINISHED = frozenset({"PartlyAvailable", "RollingOut"})


def compute(app: WasmApp, generation: int, facts: Facts, now: str) -> Status:
    """now: as `wherry.spec.status.TIME`. The same facts give the same status again, whenever that is.

    Where facts.invalid is set, app is `written.unreadable` and nothing of its spec is told.
    """
    found = workload.find(facts.children, facts.pods) or ended.removed(app)
    ground = _ground(app, facts)
    course = _course(app, facts, found, ground, now)
    verdicts = _verdicts(app, facts, available(found, facts.pods, ground), course)
    status = Status(
        observed_generation=generation,
        replicas=found.replicas if found else 0,
        ready_replicas=found.ready if found else 0,
        selector=f"{labels.APP}={app.metadata.name}",
        url=url(app.metadata.name, facts.children),
        artifact=course.artifact if course else app.status.artifact,
        rejected=course.rejected if course else app.status.rejected,
        revisions=_revisions(app, verdicts["Available"], course, now),
        last_job=ended.last_job(app, found),
        last_trap=traps.last(app.status.last_trap, facts.pods, facts.traps),
        conditions=tuple(_condition(app.status, each, verdicts[each], generation, now) for each in CONDITIONS),
    )
    return bounded(status)


def _ground(app: WasmApp, facts: Facts) -> Ground:
    told = tuple(each.message for each in app.status.conditions if each.type in ("Available", "Progressing"))
    return Ground(facts.ready_nodes == 0 and app.spec.executor == "shim", facts.missing, told)


def _course(app: WasmApp, facts: Facts, found: Workload | None, ground: Ground, now: str) -> Rollout | None:
    """Of what may run; None where nothing may, and what was known stays as it was."""
    if facts.supplied is None or facts.supplied.artifact is None:
        return None
    trouble, refused = hindrance(facts.pods, ground), found.refused if found else ""
    return rollout(app, facts.supplied.artifact, found, facts.pods, trouble.message if trouble else refused, now)


def _verdicts(app: WasmApp, facts: Facts, running: Verdict, course: Rollout | None) -> Verdicts:
    verdicts: Verdicts = {
        "Resolved": _resolved(facts),
        "Verified": facts.supplied.verified if facts.supplied else Verdict("Unknown", "NotChecked"),
        "Available": running,
        "Progressing": _progressing(app, facts, course),
    }
    return verdicts | {"Ready": _ready(verdicts, facts.warnings)}


def _resolved(facts: Facts) -> Verdict:
    if facts.invalid is not None:
        return Verdict("False", "InvalidSpec", "\n".join(map(str, facts.invalid.fields)))
    return facts.supplied.resolved if facts.supplied else Verdict("Unknown", "NotTried")


def _progressing(app: WasmApp, facts: Facts, course: Rollout | None) -> Verdict:
    if course is None:
        return Verdict("False", "Blocked", "nothing is rolled out; Resolved or Verified says why")
    return facts.applied or progressing(app, course)


def _ready(verdicts: Verdicts, warnings: tuple[str, ...]) -> Verdict:
    """The first thing that is not as it should be, from the cause to the consequence; else what is unfinished."""
    found = [verdicts[each] for each in ("Resolved", "Verified", "Progressing", "Available")]
    wrong = [each for each in found if each.status != "True" and each.reason != "NotAsked"]
    unfinished = [each for each in reversed(found) if each.reason in UNFINISHED]
    first = next(iter([*wrong, *unfinished]), Verdict("True", "Ready"))
    message = "; ".join([first.message] * bool(first.message) + [f"warning: {each}" for each in warnings])
    return Verdict("True" if first.reason == "Ready" else "False", first.reason, message)


def _revisions(app: WasmApp, running: Verdict, course: Rollout | None, now: str) -> tuple[Revision, ...]:
    if course is None:
        return app.status.revisions
    works = course.state == "complete" and running.reason in WORKS
    known = revisions.with_running(app.status.revisions, course.artifact, now) if works else app.status.revisions
    return known[: app.spec.rollout.history_limit]


def _condition(last: Status, kind: ConditionType, verdict: Verdict, generation: int, now: str) -> Condition:
    """Its time moves only when its status does."""
    before = next((each for each in last.conditions if each.type == kind), None)
    return Condition(
        type=kind,
        status=verdict.status,
        reason=verdict.reason,
        message=verdict.message,
        last_transition_time=before.last_transition_time if before and before.status == verdict.status else now,
        observed_generation=generation,
    )
