"""What keeps Pods running: a Deployment, or a DaemonSet where every node has one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wherry_operator.desired.given import Given
from wherry_operator.desired.template import selector, takes_a_port_of_the_node

STAYS = 5
"""Seconds for which a command must run to count as available: it says nothing of itself, and may end at once."""


def deployment(given: Given, pods: Mapping[str, Any]) -> dict[str, Any]:
    """spec of a Deployment. pods: the template."""
    return {
        **_replicas(given),
        "selector": selector(given),
        "template": pods,
        **({} if given.serves else {"minReadySeconds": STAYS}),
        **_strategy(given, pods, "strategy", {"maxUnavailable": 0}),
        "progressDeadlineSeconds": math.ceil(given.spec.rollout.progress_deadline),
        "revisionHistoryLimit": given.spec.rollout.history_limit,
    }


def daemon_set(given: Given, pods: Mapping[str, Any]) -> dict[str, Any]:
    """spec of a DaemonSet."""
    return {
        "selector": selector(given),
        "template": pods,
        **_strategy(given, pods, "updateStrategy", {"maxUnavailable": 0, "maxSurge": 1}),
        "revisionHistoryLimit": given.spec.rollout.history_limit,
    }


def _replicas(given: Given) -> dict[str, int]:
    """An autoscaler owns the number."""
    return {} if given.spec.autoscaling else {"replicas": given.spec.replicas}


def _strategy(given: Given, pods: Mapping[str, Any], name: str, rolling: Mapping[str, Any]) -> dict[str, Any]:
    """An http app gets the new Pod before it loses the old one, unless both want one port of a node."""
    if not given.serves or takes_a_port_of_the_node(pods["spec"]):
        return {}
    return {name: {"type": "RollingUpdate", "rollingUpdate": {**rolling}}}
