"""How many Pods there are, and how many may go at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry.errors import FieldError
from wherry.spec.lifecycle import Autoscaling, Disruption
from wherry.spec.shape import Wrong
from wherry_operator import labels
from wherry_operator.desired.container import NAME, present
from wherry_operator.desired.given import Given
from wherry_operator.desired.template import app_of


def autoscaler(given: Given, asked: Autoscaling, pods: Mapping[str, Any]) -> dict[str, Any]:
    """spec of a HorizontalPodAutoscaler, which looks at the app's container alone: others do not serve.

    Raises Wrong where the percentage would be of nothing.
    """
    aims = present(cpu=asked.cpu, memory=asked.memory)
    _check_requests(aims, pods)
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": given.name},
        "minReplicas": asked.min,
        "maxReplicas": asked.max,
        "metrics": [_metric(resource, percent) for resource, percent in aims.items()],
    }


def disruption_budget(given: Given, asked: Disruption) -> dict[str, Any]:
    """spec of a PodDisruptionBudget."""
    allowed = present(minAvailable=asked.min_available, maxUnavailable=asked.max_unavailable)
    return {**allowed, "selector": {"matchLabels": labels.selector(given.name)}}


def _metric(resource: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {
        "type": "ContainerResource",
        "containerResource": {"name": resource, "container": NAME, "target": target},
    }


def _check_requests(aims: Mapping[str, int], pods: Mapping[str, Any]) -> None:
    """A limit is a request too, where there is no other."""
    resources = app_of(pods["spec"]).get("resources") or {}
    asked = {*(resources.get("requests") or ()), *(resources.get("limits") or ())}
    faults = [
        FieldError(f"spec.autoscaling.{name}", f"no request for {name}", f"spec.resources.requests.{name}")
        for name in aims
        if name not in asked
    ]
    if faults:
        raise Wrong(*faults)
