"""Why a container does not run, from its status: the kubelet's reasons and the runtime's, in the user's terms.

Kubelet: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/#containerstatus-v1-core
Runtime: `wherry.plan.ending`.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wherry.plan.ending import EXIT_LIMIT, EXIT_START, EXIT_TRAP, Category, told
from wherry_operator.labels import CONTAINER

IMAGE = frozenset(
    {
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
CONFIG = "CreateContainerConfigError"
START = frozenset(
    {
        "ContainerCannotRun",
        "CreateContainerError",
        "PostStartHookError",
        "PreCreateHookError",
        "PreStartHookError",
        "RunContainerError",
        "StartError",
    }
)
AGAIN = "CrashLoopBackOff"
OUT_OF_MEMORY = "OOMKilled"

_OF_CATEGORY: dict[Category, str] = {
    "trap": "Trapping",
    "limit": "LimitReached",
    "oom": "OutOfMemory",
    "start": "StartError",
}
_OF_CODE = {EXIT_TRAP: "Trapping", EXIT_LIMIT: "LimitReached", EXIT_START: "StartError"}
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*"(?:: \w+: )?|^rpc error: code = \w+ desc = ')
_MISSING = re.compile(
    r'(secret|configmap) "[^"]*" not found|couldn\'t find key \S+ in (Secret|ConfigMap)', re.IGNORECASE
)
_FOR_EVER = "ends with exit code 0, where it is to run on; `run: job` and `run: cron` are for programs that end"

Status = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trouble:
    """reason: one of Available's. what: stays the same while it lasts. detail: may be told only now and then."""

    reason: str
    what: str
    detail: str = ""

    @property
    def message(self) -> str:
        return f"{self.what}: {self.detail}" if self.detail else self.what


def trouble(status: Status) -> Trouble | None:
    """What keeps a container from running; None where nothing is known to. status: one of a Pod's containerStatuses."""
    if status.get("ready"):
        return None
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in IMAGE:
        return Trouble("ImagePull", f"cannot pull {status.get('image', '')}", pull_fault(message))
    if reason == CONFIG:
        return Trouble("MissingSource" if _MISSING.search(message) else "ConfigRefused", message or reason)
    if reason in START:
        return _not_started(message or reason)
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    return _ended(ended, status.get("name") == CONTAINER, reason == AGAIN) if ended else None


def pull_fault(message: str) -> str:
    """What went wrong, the same whether the kubelet tries just now or waits; "" where it does not say."""
    while (cut := _BACK_OFF.sub("", message)) != message:
        message = cut
    return message


def _not_started(message: str) -> Trouble:
    ending = told(message)
    return Trouble("StartError", f"{ending.name}: {ending.sentence}" if ending else message)


def _ended(terminated: Status, own: bool, again: bool) -> Trouble | None:
    """own: whether it is ours, whose exit codes mean something. again: whether it ended more than once."""
    code, message = terminated.get("exitCode", 0), terminated.get("message", "")
    if ending := told(message):
        return Trouble(_OF_CATEGORY[ending.category], f"{ending.name}: {ending.sentence}")
    if terminated.get("reason") == OUT_OF_MEMORY:
        return Trouble("OutOfMemory", "killed, because it took more memory than resources.limits.memory")
    if terminated.get("reason") in START:
        return Trouble("StartError", message or "cannot be started")
    if code == 0:
        return Trouble("CrashLoop", _FOR_EVER) if again else None
    return Trouble(_OF_CODE.get(code, "CrashLoop") if own else "CrashLoop", f"ends with {exit_phrase(code)}")


def exit_phrase(code: int) -> str:
    """`exit code 3`; above 128, the signal."""
    number = code - 128
    if number in set(signal.Signals):
        return f"exit code {code} ({signal.Signals(number).name})"
    return f"exit code {code}"
