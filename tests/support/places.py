"""A namespace of a test, and what a user does and sees there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.apiserver import until
from tests.support.control_plane import ControlPlane

Manifest = dict[str, Any]
PATHS = {
    "WasmApp": "/apis/wherry.dev/v1alpha1/{}/wasmapps",
    "Deployment": "/apis/apps/v1/{}/deployments",
    "DaemonSet": "/apis/apps/v1/{}/daemonsets",
    "Job": "/apis/batch/v1/{}/jobs",
    "CronJob": "/apis/batch/v1/{}/cronjobs",
    "Service": "/api/v1/{}/services",
    "Pod": "/api/v1/{}/pods",
    "Event": "/apis/events.k8s.io/v1/{}/events",
    "ConfigMap": "/api/v1/{}/configmaps",
    "Secret": "/api/v1/{}/secrets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/{}/horizontalpodautoscalers",
}


@dataclass(frozen=True)
class Place:
    """host: of a registry with demo/hello:v1."""

    plane: ControlPlane
    namespace: str
    host: str

    def apply(self, name: str, /, **spec: Any) -> Manifest:
        """A WasmApp that serves http unless spec says otherwise, as `kubectl apply` does it."""
        body = {
            "apiVersion": "wherry.dev/v1alpha1",
            "kind": "WasmApp",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"artifact": f"{self.host}/demo/hello:v1", "run": "http"} | spec,
        }
        return self.apply_object(body)

    def apply_object(self, body: Manifest) -> Manifest:
        done = self.plane.server.kubectl("apply", "--output=json", "-f", "-", stdin=json.dumps(body))
        assert done.returncode == 0, done.stderr
        applied: Manifest = json.loads(done.stdout)
        return applied

    def kubectl(self, *args: str) -> str:
        """Its output; it must succeed."""
        done = self.plane.server.kubectl("--namespace", self.namespace, *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_kubectl(self, *args: str) -> None:
        """What may come too late to succeed."""
        self.plane.server.kubectl("--namespace", self.namespace, *args)

    def list(self, kind: str) -> list[Manifest]:
        path = PATHS[kind].format(f"namespaces/{self.namespace}")
        found: list[Manifest] = self.plane.server.ask("GET", path).body["items"]
        return found

    def find(self, kind: str, name: str) -> Manifest | None:
        """None when it is not there."""
        path = PATHS[kind].format(f"namespaces/{self.namespace}")
        answer = self.plane.server.ask("GET", f"{path}/{name}")
        return answer.body if answer.status == 200 else None

    def until(self, kind: str, name: str, holds: Callable[[Manifest], bool]) -> Manifest:
        """The object, once something holds of it."""

        def found() -> Manifest | None:
            there = self.find(kind, name)
            return there if there is not None and holds(there) else None

        try:
            return until(found) or {}
        except TimeoutError as late:
            raise TimeoutError(f"{kind} {name}: {json.dumps(self.find(kind, name), indent=1)}") from late

    def until_condition(self, name: str, kind: str, reason: str) -> Manifest:
        """The WasmApp, once a condition has a reason for its present spec."""

        def holds(app: Manifest) -> bool:
            found = condition(app, kind)
            generation = app["metadata"]["generation"]
            return (found.get("reason"), found.get("observedGeneration")) == (reason, generation)

        return self.until("WasmApp", name, holds)


def condition(app: Manifest, kind: str) -> Manifest:
    """A condition of a WasmApp; an empty one where there is none yet."""
    found = [each for each in app.get("status", {}).get("conditions", ()) if each["type"] == kind]
    return found[0] if found else {"status": "Unknown", "reason": "", "message": "", "observedGeneration": 0}
