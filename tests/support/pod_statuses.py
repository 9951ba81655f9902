"""How containers of Pods can be, as a kubelet words it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Manifest = dict[str, Any]
Behaviour = Callable[[Manifest], Manifest]
"""From a Pod to the state of each of its containers and whether it is ready: a ContainerStatus without names."""


def running(_pod: Manifest) -> Manifest:
    return {"state": {"running": {"startedAt": _now()}}, "ready": True, "started": True}


def starting(_pod: Manifest) -> Manifest:
    """Running, and not ready yet."""
    return {"state": {"running": {"startedAt": _now()}}, "ready": False, "started": True}


def usual(pod: Manifest) -> Manifest:
    """What is to run on runs; what is to end has ended well."""
    always = pod["spec"].get("restartPolicy", "Always") == "Always"
    return running(pod) if always else terminated(0, "Completed")(pod)


def waiting(reason: str, message: str) -> Behaviour:
    """As in ImagePullBackOff."""

    def behaviour(_pod: Manifest) -> Manifest:
        return {"state": {"waiting": {"reason": reason, "message": message}}, "ready": False, "started": False}

    return behaviour


def terminated(exit_code: int, reason: str, message: str = "") -> Behaviour:
    """Ended for good, in a Pod that is not to be restarted."""

    def behaviour(_pod: Manifest) -> Manifest:
        return {"state": {"terminated": _ended(exit_code, reason, message)}, "ready": False, "started": False}

    return behaviour


def crashing(exit_code: int, reason: str, message: str, restarts: int = 3) -> Behaviour:
    """Ended, and waiting to be started again."""

    def behaviour(_pod: Manifest) -> Manifest:
        waits = {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}
        ended = {"terminated": _ended(exit_code, reason, message)}
        return {"state": {"waiting": waits}, "lastState": ended, "restartCount": restarts, "ready": False}

    return behaviour


def gone(pod: Manifest) -> Manifest:
    """Ended because the Pod was deleted."""
    return terminated(0, "Completed")(pod)


def status(pod: Manifest, container: Manifest, address: str) -> Manifest:
    """A PodStatus with everything that a kubelet puts there."""
    now, ready, spec = _now(), container["ready"], pod["spec"]
    done = terminated(0, "Completed")(pod) | {"ready": True}
    found: Manifest = {
        "observedGeneration": pod["metadata"].get("generation", 1),
        "phase": _phase(container["state"], spec.get("restartPolicy", "Always")),
        "conditions": [
            {"type": kind, "status": str(value), "lastProbeTime": None, "lastTransitionTime": now}
            for kind, value in (
                ("PodReadyToStartContainers", True),
                ("Initialized", True),
                ("Ready", ready),
                ("ContainersReady", ready),
            )
        ],
        "hostIP": "10.0.0.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": now,
        "containerStatuses": [_of(pod, each, container) for each in spec["containers"]],
    }
    if "initContainers" in spec:
        found["initContainerStatuses"] = [_of(pod, each, done) for each in spec["initContainers"]]
    return found


def _of(pod: Manifest, container: Manifest, state: Manifest) -> Manifest:
    identity = f"containerd://{pod['metadata']['uid']}-{container['name']}"
    names = {"name": container["name"], "image": container["image"], "imageID": container["image"]}
    return {"containerID": identity, "lastState": {}, "restartCount": 0} | names | state


def _phase(state: Manifest, restart_policy: str) -> str:
    if "terminated" in state and restart_policy != "Always":
        return "Succeeded" if state["terminated"]["exitCode"] == 0 else "Failed"
    never_ran = "waiting" in state and state["waiting"]["reason"] != "CrashLoopBackOff"
    return "Pending" if never_ran else "Running"


def _ended(exit_code: int, reason: str, message: str) -> Manifest:
    ended = {"exitCode": exit_code, "reason": reason, "startedAt": _now(), "finishedAt": _now()}
    return ended | ({"message": message} if message else {})


def _now() -> str:
    return f"{datetime.now(UTC):%FT%TZ}"
