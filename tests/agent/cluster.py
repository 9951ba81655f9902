"""The agent as a DaemonSet of a kind cluster, without the chart: what it needs there, and questions about it."""

from __future__ import annotations

import hashlib
import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tests.node.kind import KindNode
from wherry.plan.annotation import Annotation, Http, render
from wherry.plan.model import Limits
from wherry_agent.probe_pod import WASM

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
RULES = ROOT / "charts" / "wherry" / "files"
NAMESPACE = "wherry-system"
PROBE = "/app/lib/python3.11/site-packages/wherry_agent/probe.wasm"
PATIENCE = 180.0
_RUNTIMES = ("wherry", "wherry-probe")


@dataclass(frozen=True)
class Agents:
    """The DaemonSet of a cluster that has one node."""

    node: KindNode

    def prepare(self) -> None:
        """Everything but the DaemonSet."""
        self.node.apply(*_common())

    def start(self, image: str) -> None:
        """Or another version, as the chart's upgrade does."""
        self.node.apply(daemon_set(image))

    def remove(self) -> None:
        self.node.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
        self.node.kubectl("delete", "runtimeclass", *_RUNTIMES, "--ignore-not-found")

    def pod(self) -> dict[str, Any]:
        """The agent's; raises LookupError while there is none that is not ending."""
        found = json.loads(self.ask("get", "pods", "-l", "app=wherry-agent", "-o", "json"))["items"]
        for pod in found:
            if "deletionTimestamp" not in pod["metadata"]:
                return dict(pod)
        raise LookupError("no agent")

    def log(self) -> str:
        return self.ask("logs", "daemonset/wherry-agent", "--tail=60")

    def account(self) -> str:
        """What a person would look at when something does not come."""
        return f"{self.log()}\n{self.node.kubectl('describe', 'pods')}"

    def is_ready(self) -> bool:
        conditions = {each["type"]: each["status"] for each in self.pod()["status"].get("conditions", ())}
        return conditions.get("Ready") == "True"

    def runs(self, image: str) -> bool:
        """This version, and it has installed itself."""
        return bool(self.pod()["spec"]["containers"][0]["image"] == image) and self.is_ready()

    def label(self) -> str:
        """Of the node."""
        return self.node.kubectl(
            "get", "node", self.node.name, "-o", r"jsonpath={.metadata.labels.wherry\.dev/runtime}"
        )

    def installed(self) -> str:
        """The name of the tree in use."""
        return self.node.exec("sh", "-c", "basename $(readlink /opt/wherry/current) 2>/dev/null || true").strip()

    def ask(self, *arguments: str) -> str:
        return self.node.kubectl("-n", NAMESPACE, *arguments)

    def hook(self, image: str, command: str) -> tuple[bool, str]:
        """Run the uninstall hook to its end: whether it succeeded, and its log."""
        self.node.kubectl("-n", NAMESPACE, "delete", "job", "uninstall", "--ignore-not-found")
        self.node.apply(hook(image, command))

        def ended() -> str:
            return self.ask("get", "job", "uninstall", "-o", "jsonpath={.status.conditions[*].type}")

        conditions = self.until(lambda: found if "Complete" in (found := ended()) or "Failed" in found else "")
        return "Complete" in conditions, self.ask("logs", "job/uninstall")

    def until(self, holds: Callable[[], T], seconds: float = PATIENCE) -> T:
        """The first true answer. Fails with the agent's log."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if answer := holds():
                    return answer
            except (AssertionError, LookupError) as error:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{error}\n{self.account()}") from error
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:.0f} s\n{self.account()}")
            time.sleep(0.5)


def app(name: str, image: str, runtime: str = "wherry") -> dict[str, Any]:
    """A Pod that serves HTTP by the probe's module, as an ordinary user would write it."""
    own = plan(hashlib.sha256(WASM.read_bytes()).hexdigest())
    container = {
        "name": "app",
        "image": image,
        "imagePullPolicy": "Never",
        "command": [PROBE],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"port": 8080, "path": "/"}, "periodSeconds": 1},
    }
    metadata = {"name": name, "labels": {"wherry.dev/app": name}, "annotations": {"plan.wherry.dev/app": own}}
    spec = {
        "runtimeClassName": runtime,
        "terminationGracePeriodSeconds": 2,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def plan(digest: str) -> str:
    """The annotation of a container that serves HTTP. digest: in hex."""
    http = Http(port=8080, drain=1.0)
    return render(Annotation(v=1, run="http", wasm=f"sha256:{digest}", http=http, limits=Limits(timeout=10.0)))


def daemon_set(image: str) -> dict[str, Any]:
    """As the chart has it."""
    field = {
        "WHERRY_NODE": "spec.nodeName",
        "WHERRY_POD": "metadata.name",
        "WHERRY_NAMESPACE": "metadata.namespace",
    }
    env = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in field.items()]
    container = {
        "name": "agent",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["run", "--log-format", "text"],
        "env": [*env, {"name": "WHERRY_IMAGE", "value": image}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"port": "http", "path": "/readyz"}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"port": "http", "path": "/healthz"}, "timeoutSeconds": 5, "failureThreshold": 6},
        "securityContext": SECURITY,
        "resources": {"limits": {"memory": "512Mi"}},
        "volumeMounts": [
            {"name": "host", "mountPath": "/host", "mountPropagation": "HostToContainer"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    spec = {
        "serviceAccountName": "wherry-agent",
        "terminationGracePeriodSeconds": 60,
        "hostPID": True,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": "host", "hostPath": {"path": "/"}}, {"name": "tmp", "emptyDir": {}}],
    }
    labels = {"app": "wherry-agent"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "wherry-agent", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": template, "updateStrategy": update},
    }


SECURITY: dict[str, Any] = {
    "privileged": False,
    "allowPrivilegeEscalation": True,
    "readOnlyRootFilesystem": True,
    "runAsUser": 0,
    "capabilities": {
        "drop": ["ALL"],
        "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID", "SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"],
    },
    "seccompProfile": {"type": "RuntimeDefault"},
}


def hook(image: str, command: str) -> dict[str, Any]:
    """As the chart has it."""
    _, *arguments = shlex.split(command)
    container = {
        "name": "uninstall",
        "image": image,
        "imagePullPolicy": "Never",
        "args": [*arguments, "--namespace", NAMESPACE],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "readOnlyRootFilesystem": True},
    }
    spec = {
        "serviceAccountName": "wherry-uninstall",
        "restartPolicy": "Never",
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    job = {"backoffLimit": 0, "template": {"spec": spec}}
    metadata = {"name": "uninstall", "namespace": NAMESPACE}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job}


def _common() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}]
    scheduling = {"nodeSelector": {"wherry.dev/runtime": "ready"}}
    for name, more in zip(_RUNTIMES, ({"scheduling": scheduling}, {}), strict=True):
        found.append(
            {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": name},
                "handler": "wherry",
                **more,
            }
        )
    for name in ("agent", "uninstall"):
        found += rights(name)
    return found


def rights(name: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """A service account `wherry-<name>` with the chart's rules for it."""
    account = f"wherry-{name}"
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]
    found: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}}
    ]
    for kind, file in (("ClusterRole", f"{name}-rules.yaml"), ("Role", f"{name}-namespace-rules.yaml")):
        named = account if kind == "Role" else f"{account}-of-{namespace}"
        metadata = {"name": named} | ({"namespace": namespace} if kind == "Role" else {})
        rules = yaml.safe_load((RULES / file).read_text())
        group = "rbac.authorization.k8s.io"
        found += [
            {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": f"{kind}Binding",
                "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": kind, "name": named},
                "subjects": subjects,
            },
        ]
    return found
