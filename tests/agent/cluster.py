"""The agent in a kind cluster as the chart has it, and questions about it."""

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

from tests.chart.helm import NAMESPACE, Manifest, container, find, objects
from tests.node.kind import KindNode
from wherry.plan.annotation import Annotation, Http, render
from wherry.plan.model import Limits
from wherry_agent.probe_pod import WASM

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
RULES = ROOT / "charts" / "wherry" / "files"
AGENTS = "app.kubernetes.io/component=agent"
PROBE = "/probe.wasm"
PATIENCE = 180.0
NAMES = ("wherry-agent", "wherry-probe", "wherry-uninstall")
"""What names of objects begin with that agents need; the RuntimeClass is `wherry`."""


@dataclass(frozen=True)
class Agents:
    """The DaemonSet of a cluster that has one node."""

    node: KindNode

    def prepare(self) -> None:
        """Everything but the DaemonSet."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        others = [each for each in rendered("none:0") if each["kind"] not in {"DaemonSet", "Job"}]
        self.node.apply(namespace, *others)

    def start(self, image: str) -> None:
        """Or another version, as the chart's upgrade does."""
        self.node.apply(find(rendered(image), "DaemonSet", "wherry-agent"))

    def remove(self) -> None:
        self.node.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
        for each in rendered("none:0"):
            if "namespace" not in each["metadata"]:
                self.node.kubectl("delete", each["kind"], each["metadata"]["name"], "--ignore-not-found")

    def pod(self) -> dict[str, Any]:
        """The agent's; raises LookupError while there is none that is not ending."""
        found = json.loads(self.ask("get", "pods", "-l", AGENTS, "-o", "json"))["items"]
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
        job = find(rendered(image), "Job", "wherry-uninstall")
        _, *arguments = shlex.split(command)
        container(job)["args"] = arguments
        self.ask("delete", "job", "wherry-uninstall", "--ignore-not-found")
        self.node.apply(job)

        def ended() -> str:
            return self.ask("get", "job", "wherry-uninstall", "-o", "jsonpath={.status.conditions[*].type}")

        conditions = self.until(lambda: found if "Complete" in (found := ended()) or "Failed" in found else "")
        return "Complete" in conditions, self.ask("logs", "job/wherry-uninstall")

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


def rendered(image: str) -> list[Manifest]:
    """What the chart has for agents and their uninstall, on every node."""
    tolerations = '[{"operator": "Exists"}]'
    values = {"agent.image": image, "image.pullPolicy": "Never", "agent.log.format": "text"}
    options = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    every = [f"{part}.tolerations={tolerations}" for part in ("agent", "operator")]
    options += [word for option in every for word in ("--set-json", option)]
    everything = objects(*options)
    return [each for each in everything if each["metadata"]["name"].startswith(NAMES) or each["kind"] == "RuntimeClass"]


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
