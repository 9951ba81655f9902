"""Every kind of object that a WasmApp may become: what is written, watched, and removed when it is wanted no more."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    api_version: str
    kind: str


SERVICE = Kind("v1", "Service")
DEPLOYMENT = Kind("apps/v1", "Deployment")
DAEMON_SET = Kind("apps/v1", "DaemonSet")
JOB = Kind("batch/v1", "Job")
CRON_JOB = Kind("batch/v1", "CronJob")
AUTOSCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler")
DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget")
INGRESS = Kind("networking.k8s.io/v1", "Ingress")
HTTP_ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute")

KINDS = (
    SERVICE,
    DEPLOYMENT,
    DAEMON_SET,
    JOB,
    CRON_JOB,
    AUTOSCALER,
    DISRUPTION_BUDGET,
    INGRESS,
    HTTP_ROUTE,
)
"""HTTPRoute is there only where the Gateway API is installed; the others are in every cluster."""
