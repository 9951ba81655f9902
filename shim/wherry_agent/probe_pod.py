"""The Pod by which a node shows that it can run Wasm: what it is, and what the kubelet says of it. Pure.

It is the agent's own image, which the node has: an ordinary one, in which a file ends in `.wasm`. It serves HTTP, and
the kubelet asks it: when it is Ready, an answer went all the way through containerd, the runtime and the pod network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from wherry.cluster.names import Manifest
from wherry.plan.annotation import PREFIX, Annotation, Http, render
from wherry.plan.model import Limits

WASM = Path(__file__).with_name("probe.wasm")
_NAME = "probe"
_PORT = 8080
_USER = 65532
_MEMORY, _TIMEOUT = 1 << 20, 10.0
"""Bytes and seconds of one request."""
_LIFE = 180
"""Seconds after which the kubelet ends it, whatever became of its agent."""


class State(Enum):
    WAITS = auto()
    ANSWERED = auto()
    FAILED = auto()
    REJECTED = auto()
    """The kubelet has no room for it: that says nothing of Wasm."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """said: why, in the kubelet's words."""

    state: State
    said: str = ""


def probe_pod(own: Manifest, runtime_class: str, wasm: Path = WASM) -> Manifest:
    """own: the agent's Pod, whose image, pull secrets and node it has, and with which it goes."""
    meta, spec = own["metadata"], own["spec"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": meta["namespace"],
            "name": name_for(meta["name"]),
            "labels": {"app.kubernetes.io/name": "wherry", "app.kubernetes.io/component": "probe"},
            "annotations": {PREFIX + _NAME: _plan(wasm)},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}],
        },
        "spec": {
            "nodeName": spec["nodeName"],
            "runtimeClassName": runtime_class,
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "activeDeadlineSeconds": _LIFE,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "imagePullSecrets": spec.get("imagePullSecrets") or [],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(spec["containers"][0]["image"], wasm)],
        },
    }


def name_for(agent: str) -> str:
    """Of the probe of one agent's Pod."""
    return f"{agent[:240]}-probe"


def _plan(wasm: Path) -> str:
    digest = f"sha256:{hashlib.sha256(wasm.read_bytes()).hexdigest()}"
    limits = Limits(memory=_MEMORY, timeout=_TIMEOUT)
    return render(Annotation(v=1, run="http", wasm=digest, http=Http(port=_PORT, drain=0.0), limits=limits))


def _container(image: str, wasm: Path) -> Mapping[str, Any]:
    return {
        "name": _NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": [str(wasm)],
        "ports": [{"name": "http", "containerPort": _PORT}],
        "readinessProbe": {"httpGet": {"port": "http", "path": "/"}, "periodSeconds": 1, "failureThreshold": 60},
        "resources": {"requests": {"cpu": "0", "memory": "0"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def verdict(pod: Manifest) -> Verdict:
    """What the kubelet says of it by now."""
    status = pod.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    if conditions.get("Ready") == "True":
        return Verdict(State.ANSWERED)
    containers = status.get("containerStatuses") or ()
    if status.get("phase") in {"Failed", "Succeeded"} and not any("terminated" in _state(each) for each in containers):
        said = f"{status.get('reason', '')}: {status.get('message', '')}".strip(": ")
        return Verdict(State.FAILED if status.get("reason") == "DeadlineExceeded" else State.REJECTED, said)
    for each in containers:
        if ended := _state(each).get("terminated"):
            said = f"ended with {ended.get('exitCode')}: {ended.get('reason', '')} {ended.get('message', '')}"
            return Verdict(State.FAILED, said.strip())
        if waiting := _state(each).get("waiting"):
            return Verdict(State.WAITS, f"{waiting.get('reason', '')} {waiting.get('message', '')}".strip())
    return Verdict(State.WAITS, status.get("phase") or "Pending")


def _state(container: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = container.get("state") or {}
    return found
