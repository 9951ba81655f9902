"""Why Pods do not do their work: of several that do not, the one whose trouble explains most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from wherry_operator import labels
from wherry_operator.manifest import Manifest
from wherry_operator.status import containers
from wherry_operator.status.containers import Trouble

RANK = (
    "NoNodes",
    "MissingSource",
    "ConfigRefused",
    "ImagePull",
    "StartError",
    "OutOfMemory",
    "Trapping",
    "LimitReached",
    "CrashLoop",
    "Unschedulable",
)
"""Reasons from the one that explains most: what one Pod suffers from, the others will."""
NO_NODES = (
    f"no node has the label {labels.RUNTIME}=ready; "
    "install Wherry on nodes (docs/node-setup.md), or set executor: container"
)
_PREEMPTION = " preemption:"
"""From here on the scheduler tells of what it tried in vain."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What Pods stand on. no_nodes: whether they need a node with the runtime and there is none.

    missing: as in Facts. told: what the last status said of Pods.
    """

    no_nodes: bool = False
    missing: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def worst(pods: Iterable[Manifest], ground: Ground) -> Trouble | None:
    """The trouble that explains most, of the oldest Pod that has it; None where nothing is known to be wrong."""
    found = [(RANK.index(each.reason), _age(pod), each) for pod in pods if (each := trouble(pod, ground))]
    return _recalled(min(found, key=lambda each: each[:2])[2], ground.told) if found else None


def _recalled(found: Trouble, told: Iterable[str]) -> Trouble:
    """With the detail that was told before: older kubelets say only now and then why an image cannot be pulled."""
    if found.reason != "ImagePull" or found.detail:
        return found
    return replace(found, detail=next(filter(None, (text.partition(f"{found.what}: ")[2] for text in told)), ""))


def trouble(pod: Manifest, ground: Ground) -> Trouble | None:
    """Of one Pod."""
    status = pod.get("status") or {}
    placed = condition(pod, "PodScheduled")
    if placed.get("status") == "False":
        return Trouble("NoNodes", NO_NODES) if ground.no_nodes else _unplaced(pod, placed.get("message", ""))
    if not any(_statuses(pod)) and status.get("reason"):
        return _located(pod, Trouble("CrashLoop", f"{status['reason']}: {status.get('message', '')}"))
    found = [each for status in _statuses(pod) if (each := _of_container(pod, status))]
    if not found and ground.missing and waits(pod):
        return Trouble("MissingSource", f"not found: {', '.join(ground.missing)}")
    return min(found, key=lambda each: RANK.index(each.reason), default=None)


def condition(manifest: Manifest, kind: str) -> Manifest:
    """A condition of a Kubernetes object, {} where it has none."""
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind), {})


def name(pod: Manifest) -> str:
    return str(pod["metadata"]["name"])


def waits(pod: Manifest) -> bool:
    """Whether a Pod that is to run on is not ready."""
    return alive(pod) and condition(pod, "Ready").get("status") != "True"


def alive(pod: Manifest) -> bool:
    """Whether a Pod is neither finished nor on its way out."""
    return phase(pod) not in ("Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def phase(pod: Manifest) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def names(manifest: Manifest, digest: str) -> bool:
    """Whether a Pod, or the template of a workload, runs an artifact's digest: its image, or what its runner pulls."""
    return any(digest in text for text in _texts(manifest.get("spec") or {}))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _statuses(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _of_container(pod: Manifest, status: Manifest) -> Trouble | None:
    found = containers.trouble(status)
    return _located(pod, found, status.get("name", "")) if found else None


def _located(pod: Manifest, found: Trouble, container: str = "") -> Trouble:
    """With the Pod's name, and the container's where it is not the app's."""
    where = name(pod) if container in ("", labels.CONTAINER) else f"{name(pod)}, container {container}"
    return replace(found, what=f"{where}: {found.what}")


def _unplaced(pod: Manifest, message: str) -> Trouble:
    return _located(pod, Trouble("Unschedulable", message.partition(_PREEMPTION)[0] or "no node takes it"))


def _age(pod: Manifest) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp", ""), name(pod)
