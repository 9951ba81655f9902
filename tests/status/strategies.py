"""What a pass may find, drawn at random: plausible objects with texts that nobody foresaw."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from wherry.plan.ending import START_REASONS, TRAP_REASONS
from wherry.spec.status import ArtifactStatus, ConditionType, Trap
from wherry_operator.conditions import REASONS, Verdict
from wherry_operator.status import containers
from wherry_operator.status.facts import Facts
from wherry_operator.supply.supplied import Supplied

Values = st.SearchStrategy[Any]

NOW = "2026-01-31T12:00:00Z"
TIMES = st.sampled_from(["2026-01-31T10:00:00Z", "2026-01-31T11:59:00Z", NOW])
DIGESTS = st.sampled_from(["sha256:" + each * 64 for each in "123"])
COUNTS = st.integers(0, 3)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["", "x" * 5000, "ü" * 40_000])
ENDINGS = st.one_of(
    TEXTS,
    st.builds("trap/{}: {}\n  0: f".format, st.sampled_from(sorted(TRAP_REASONS)), TEXTS),
    st.builds("failed to create task: start/{}: {}: unknown".format, st.sampled_from(sorted(START_REASONS)), TEXTS),
    st.sampled_from(
        ["limit/timeout: too long", "oom/memory: too much", 'Back-off pulling image "a"', 'secret "a" not found']
    ),
)
WAITING = st.sampled_from(sorted({*containers.IMAGE, *containers.START, containers.CONFIG, containers.AGAIN, "Other"}))
TERMINATED = st.fixed_dictionaries(
    {"exitCode": st.sampled_from([0, 1, 124, 125, 134, 137, 143, 255])},
    optional={"reason": st.sampled_from(["Error", "OOMKilled", "StartError"]), "message": ENDINGS, "finishedAt": TIMES},
)
STATES: Values = st.one_of(
    st.just({}),
    st.just({"running": {}}),
    st.fixed_dictionaries({"waiting": st.fixed_dictionaries({"reason": WAITING}, optional={"message": ENDINGS})}),
    st.fixed_dictionaries({"terminated": TERMINATED}),
)
CONTAINERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["app", "side"]), "image": TEXTS, "ready": st.booleans(), "state": STATES},
    optional={"lastState": st.just({}) | st.fixed_dictionaries({"terminated": TERMINATED})},
)
TRUTHS = st.sampled_from(["True", "False"])


@st.composite
def pods(draw: st.DrawFn) -> Any:
    meta = {"name": draw(st.sampled_from("abc")), "creationTimestamp": draw(TIMES)}
    scheduled = {"type": "PodScheduled", "status": draw(TRUTHS), "message": draw(TEXTS)}
    status = {
        "phase": draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed"])),
        "conditions": [scheduled, {"type": "Ready", "status": draw(TRUTHS)}],
        "containerStatuses": draw(st.lists(CONTAINERS, max_size=2)),
        "reason": draw(st.sampled_from(["", "Evicted"])),
    }
    return {"metadata": meta, "spec": {"containers": [{"image": draw(DIGESTS)}]}, "status": status}


_NUMBERS = (
    *("replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "active", "ready"),
    *("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady", "currentNumberScheduled"),
)
_CONDITIONS = (
    *(("Progressing", each) for each in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded", "ReplicaSetUpdated")),
    *((each, "") for each in ("ReplicaFailure", "Complete", "Failed")),
)


@st.composite
def workloads(draw: st.DrawFn) -> Any:
    conditions = draw(st.lists(st.sampled_from(_CONDITIONS), max_size=2))
    status: dict[str, Any] = draw(st.dictionaries(st.sampled_from(_NUMBERS), COUNTS))
    status["observedGeneration"] = draw(st.integers(1, 2))
    status["conditions"] = [
        {"type": kind, "reason": reason, "status": draw(TRUTHS), "message": draw(TEXTS)} for kind, reason in conditions
    ]
    return {
        "kind": draw(st.sampled_from(["Deployment", "DaemonSet", "Job", "CronJob"])),
        "metadata": {"name": "hello", "generation": draw(st.integers(1, 2))},
        "spec": {"replicas": draw(COUNTS), "suspend": draw(st.booleans()), "template": draw(DIGESTS)},
        "status": status,
    }


def _verdicts(kind: ConditionType) -> st.SearchStrategy[Verdict]:
    pairs = [(status, name) for name, reason in REASONS[kind].items() for status in reason.status]
    return st.builds(lambda pair, text: Verdict(pair[0], pair[1], text), st.sampled_from(pairs), TEXTS)


ARTIFACTS = st.builds(
    ArtifactStatus,
    reference=st.sampled_from(["ghcr.io/acme/hello:v1", "ghcr.io/acme/hello:v2"]),
    digest=DIGESTS,
    kind=TEXTS,
    world=TEXTS,
    imports=st.just(("x" * 600,)) | st.just(("a",) * 1100),
    signed_by=st.just(("key",) * 70) | st.just(()),
    resolved_at=st.just(NOW),
    inputs=st.sampled_from(["one", "two"]),
)
TRAPS = st.builds(Trap, time=TIMES, pod=TEXTS, reason=st.sampled_from(["host", "other"]), message=TEXTS)
SERVICE = {"kind": "Service", "metadata": {"name": "hello", "namespace": "shop"}}
FACTS = st.builds(
    Facts,
    supplied=st.none() | st.builds(Supplied, st.none() | ARTIFACTS, _verdicts("Resolved"), _verdicts("Verified")),
    applied=st.none() | _verdicts("Progressing").filter(lambda each: each.status == "False"),
    children=st.lists(workloads() | st.just(SERVICE), max_size=2).map(tuple),
    pods=st.lists(pods(), max_size=3).map(tuple),
    ready_nodes=st.none() | st.integers(0, 1),
    missing=st.just(()) | st.just(("Secret " + "x" * 50,)),
    warnings=st.lists(TEXTS, max_size=1).map(tuple),
    traps=st.lists(TRAPS, max_size=2).map(tuple),
)
SPECS = st.fixed_dictionaries(
    {"artifact": st.sampled_from(["ghcr.io/acme/hello:v1", "ghcr.io/acme/hello:v2"])},
    optional={
        "rollout": st.fixed_dictionaries({"automaticRollback": st.booleans(), "historyLimit": st.integers(1, 2)}),
        "rollback": st.fixed_dictionaries({"digest": DIGESTS, "artifact": st.just("ghcr.io/acme/hello:v1")}),
    },
)
