"""Kinds that we read or write, and their paths: a table, because asking the API server costs a start."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version. plural: as paths and roles have it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, "" for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def full_name(self) -> str:
        """As messages of Kubernetes have it: deployments.apps."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """namespace "" is the whole cluster, name "" the collection."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        place = f"namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return "/".join(part for part in (root, place, self.plural, quote(name, safe=""), subresource) if part)


CONFIG_MAP = Resource("v1", "ConfigMap", "configmaps")
CRON_JOB = Resource("batch/v1", "CronJob", "cronjobs")
DAEMON_SET = Resource("apps/v1", "DaemonSet", "daemonsets")
DEPLOYMENT = Resource("apps/v1", "Deployment", "deployments")
DISRUPTION_BUDGET = Resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
EVENT = Resource("events.k8s.io/v1", "Event", "events")
HTTP_ROUTE = Resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")
INGRESS = Resource("networking.k8s.io/v1", "Ingress", "ingresses")
JOB = Resource("batch/v1", "Job", "jobs")
LEASE = Resource("coordination.k8s.io/v1", "Lease", "leases")
NODE = Resource("v1", "Node", "nodes", namespaced=False)
POD = Resource("v1", "Pod", "pods")
POD_AUTOSCALER = Resource("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
SECRET = Resource("v1", "Secret", "secrets")
SERVICE = Resource("v1", "Service", "services")
SERVICE_ACCOUNT = Resource("v1", "ServiceAccount", "serviceaccounts")
WASM_APP = Resource("wherry.dev/v1alpha1", "WasmApp", "wasmapps")

_KNOWN = {
    (each.api_version, each.kind): each
    for each in (
        CONFIG_MAP, CRON_JOB, DAEMON_SET, DEPLOYMENT, DISRUPTION_BUDGET, EVENT, HTTP_ROUTE, INGRESS, JOB, LEASE, NODE,
        POD, POD_AUTOSCALER, SECRET, SERVICE, SERVICE_ACCOUNT, WASM_APP,
    )
}  # fmt: skip


def resource(api_version: str, kind: str) -> Resource:
    """Raises LookupError for a kind that we have no business with."""
    found = _KNOWN.get((api_version, kind))
    if found is None:
        raise LookupError(f"{api_version} {kind} is not in the table of resources")
    return found
