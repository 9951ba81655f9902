"""Conditions of a WasmApp, their reasons and what each means: API, and the source of docs/conditions.md.

A condition says `True`, `False` or `Unknown`, and its reason says why in one word. Ready sums up the other four: its
reason is `Ready`, or that of the condition that keeps the app from being ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from wherry.spec.status import ConditionType, Truth

CONDITIONS: tuple[ConditionType, ...] = get_args(ConditionType)
"""All of them, in the order in which they are written. An app has each of them from its first status on."""


@dataclass(frozen=True, slots=True)
class Reason:
    """status: with which it comes. cure: what to do, "" where nothing is wrong; what has a cure makes a Warning."""

    meaning: str
    cure: str = ""
    status: tuple[Truth, ...] = ("False",)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is so: the part of a condition that does not depend on when. reason is one of REASONS."""

    status: Truth
    reason: str
    message: str = ""


_RESOLVED = {
    "Resolved": Reason(
        "The reference names an artifact that can run; its digest is in status.artifact.", "", ("True",)
    ),
    "InvalidSpec": Reason(
        "The spec cannot be read; what runs goes on as it is.",
        "Correct the fields that the message names.",
    ),
    "InvalidReference": Reason(
        "spec.artifact is no reference of an OCI registry, such as a file's path.",
        "Push the file with `wherry push FILE REFERENCE` and write that reference.",
    ),
    "RegistryUnavailable": Reason(
        "The registry did not answer, or answered with a fault of its own. True while status.artifact is what was "
        "found there before, which goes on running; False where nothing was ever found.",
        "None is needed when the registry comes back: it is asked again after growing pauses.",
        ("True", "False"),
    ),
    "NotFound": Reason(
        "The registry has no such repository, tag or digest; what runs goes on.",
        "Correct spec.artifact, or push the artifact. `wherry inspect REFERENCE` asks the same.",
    ),
    "Unauthorized": Reason(
        "The registry wants a login, or another one; what runs goes on.",
        "Name a Secret of type kubernetes.io/dockerconfigjson in spec.pull.secrets or in the service account.",
    ),
    "PullSecretMissing": Reason(
        "A Secret of spec.pull.secrets does not exist.",
        "Create it: `kubectl create secret docker-registry NAME …`.",
    ),
    "PullSecretInvalid": Reason(
        "A pull secret is not of a form that Docker and the kubelet read.",
        "Make it anew: `kubectl create secret docker-registry NAME …`.",
    ),
    "LayoutNotRunnable": Reason(
        "The artifact is known, but laid out in a way that a kubelet cannot pull or a node cannot start.",
        "Push it again: `wherry pull REFERENCE -o app.wasm`, `wherry push app.wasm REFERENCE`.",
    ),
    "ArtifactRefused": Reason(
        "What the registry sent is no artifact, not what its digest says, or larger than is allowed.",
        "Look at it with `wherry inspect REFERENCE`, and push it anew.",
    ),
    "PolicyRefused": Reason(
        "The policy of the cluster does not allow artifacts from there.",
        "Use an allowed registry, or ask who runs the operator: the policy is in its settings.",
    ),
    "NotTried": Reason(
        "The registry was not asked, because keys of spec.verify are missing or wrong: see Verified.", "", ("Unknown",)
    ),
    "NoScratchSpace": Reason(
        "The operator has no room on its disk to look at the artifact.",
        "Give its scratch folder more room, or look what fills it.",
    ),
}

_VERIFIED = {
    "Verified": Reason("As many keys as were asked for have signed the digest.", "", ("True",)),
    "NotAsked": Reason("Neither spec.verify nor the cluster's policy asks for signatures.", "", ("Unknown",)),
    "NotChecked": Reason("There is no digest yet whose signatures could be looked at.", "", ("Unknown",)),
    "SignatureRefused": Reason(
        "Too few of the keys that are trusted have signed it, or none.",
        "Sign it with a key of spec.verify.keys, or add the key. `wherry verify REFERENCE --key FILE` tries it.",
    ),
    "KeyMissing": Reason(
        "The Secret or ConfigMap of a key does not exist, or has no such entry.",
        "Create it, or correct spec.verify.keys.",
    ),
    "KeyInvalid": Reason(
        "What should be a public key is none.",
        "Put the key there in PEM, as `cosign.pub` is.",
    ),
}

_AVAILABLE = {
    "Available": Reason("All Pods that are wanted are ready.", "", ("True",)),
    "PartlyAvailable": Reason("Some Pods are ready and some are not; the message says why.", "", ("True",)),
    "ScaledToZero": Reason("No Pod runs, and none is wanted.", "", ("True",)),
    "Scheduled": Reason("The CronJob starts its runs by the schedule.", "", ("True",)),
    "Suspended": Reason("The CronJob starts no runs, because spec.cron.suspend says so.", "", ("True",)),
    "JobRunning": Reason("A Pod of the Job runs.", "", ("True",)),
    "JobComplete": Reason("The Job has succeeded.", "", ("True",)),
    "NotMade": Reason("Nothing was made yet.", ""),
    "Starting": Reason(
        "Pods are on their way and nothing is known to be wrong. When this lasts, `kubectl describe pod` shows what "
        "the kubelet waits for; an http app is ready when it listens on spec.port.",
    ),
    "NoNodes": Reason(
        "No node has the label wherry.dev/runtime=ready, so that no Pod can be placed.",
        "Install Wherry on nodes (docs/node-setup.md), or set `executor: container`.",
    ),
    "Unschedulable": Reason(
        "No node takes the Pod; the message has the scheduler's words.",
        "Free resources, add nodes with the runtime, or loosen what resources and podTemplate ask for.",
    ),
    "PodsRefused": Reason(
        "Kubernetes does not let the Pods be made: a quota, a Pod Security level, a missing service account or "
        "RuntimeClass.",
        "The message names the rule; change it, or podTemplate.",
    ),
    "MissingSource": Reason(
        "A ConfigMap or Secret that the app reads, or a key of it, does not exist.",
        "Create it, or mark it `optional: true`.",
    ),
    "ConfigRefused": Reason(
        "The kubelet cannot make the container as the Pod describes it.",
        "The message has the kubelet's words; most often podTemplate asks for something that the node forbids.",
    ),
    "ImagePull": Reason(
        "A node cannot pull the artifact, or another image of the Pod.",
        "The node needs the same way to the registry as the operator: pull secrets, mirrors and CAs of containerd.",
    ),
    "StartError": Reason(
        "The module cannot be started; the message has the reason of the runtime (`start/…`).",
        "The message says what to do; `wherry run` shows the same on your machine.",
    ),
    "OutOfMemory": Reason(
        "A container took more memory than it may, and was killed.",
        "Raise resources.limits.memory of the Pod, or lower limits.memory or limits.concurrency.",
    ),
    "Trapping": Reason(
        "The program traps again and again; status.lastTrap has the backtrace.",
        "Correct the program, or roll back: `wherry rollback APP`.",
    ),
    "LimitReached": Reason(
        "The program is ended by limits.timeout or limits.fuel again and again.",
        "Raise the limit, or correct the program.",
    ),
    "CrashLoop": Reason(
        "A container ends again and again, with an exit code of its own or by a signal.",
        "Read `wherry logs APP`. A program that is meant to end is a `run: job` or `run: cron`.",
    ),
    "JobRemoved": Reason(
        "The Job was removed before its end was seen. It is not made again by itself.",
        "Another value of the annotation wherry.dev/run-again starts it anew.",
    ),
    "JobFailed": Reason(
        "The Job, or the last run of the CronJob, has failed.",
        "Read `wherry logs APP`. Another value of the annotation wherry.dev/run-again starts a Job anew.",
    ),
}

_PROGRESSING = {
    "RollingOut": Reason("Pods of what is wanted are replacing others.", "", ("True",)),
    "Complete": Reason("What runs is what is wanted.", "", ("True",)),
    "Blocked": Reason("Nothing is rolled out; Resolved or Verified says why. What runs goes on."),
    "ApplyRefused": Reason(
        "Kubernetes refuses an object of the app.",
        "The message has its words; most often podTemplate, a quota or an admission policy is the cause.",
    ),
    "ApplyFailed": Reason(
        "An object of the app could not be written just now.",
        "None is needed when the API server comes back: it is tried again.",
    ),
    "NameTaken": Reason(
        "An object of that name belongs to somebody else, and is left alone.",
        "Rename the WasmApp, or delete the other object.",
    ),
    "DeadlineExceeded": Reason(
        "What is wanted did not become available within rollout.progressDeadline; what ran before may go on.",
        "The message says what its Pods lack. `wherry rollback APP` goes back.",
    ),
    "RolledBack": Reason(
        "A new digest did not become available in time and was put away; the last good one runs. It is not tried again "
        "until spec.artifact, spec.verify, the policy or the annotation wherry.dev/refresh changes.",
        "Push what works, under another tag or with another value of that annotation.",
    ),
}

REASONS: Mapping[ConditionType, Mapping[str, Reason]] = {
    "Resolved": _RESOLVED,
    "Verified": _VERIFIED,
    "Available": _AVAILABLE,
    "Progressing": _PROGRESSING,
    "Ready": {"Ready": Reason("Everything is as the spec wants it.", "", ("True",))},
}
"""By condition, every reason that it has of its own."""


def about(condition: ConditionType, reason: str) -> Reason | None:
    """What a reason means; None for one that the condition does not have, which another version may have written."""
    known = REASONS.values() if condition == "Ready" else (REASONS[condition],)
    return next((each[reason] for each in known if reason in each), None)
