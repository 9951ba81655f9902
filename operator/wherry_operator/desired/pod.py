"""The template of the app's Pods before the user's `podTemplate`: safe by default (CONTRACTS: the Pod)."""

from __future__ import annotations

from typing import Any

from wherry.plan.model import ARGV0
from wherry_operator import labels
from wherry_operator.desired import runner
from wherry_operator.desired.container import GRACE, NAME, of_the_app, present
from wherry_operator.desired.given import Given
from wherry_operator.desired.strategic import plain

RUNTIME_CLASS = "wherry"
USER = 65532
"""Nobody in particular, the same as in common images without a shell."""
PRIVILEGED_PORTS = 1024


def base(given: Given) -> dict[str, Any]:
    """metadata and spec; the plan's annotation comes last, when all that it says is settled."""
    marks = {"kubectl.kubernetes.io/default-container": NAME} | _checksum(given)
    return {"metadata": {"labels": labels.recommended(given.name), "annotations": marks}, "spec": _spec(given)}


def _spec(given: Given) -> dict[str, Any]:
    return {
        **_executor(given),
        **present(
            restartPolicy="Never" if given.workload in ("Job", "CronJob") else "",
            imagePullSecrets=[{"name": secret.name} for secret in given.spec.pull.secrets],
            topologySpreadConstraints=_spread(given) if given.workload == "Deployment" else [],
            nodeSelector=_nodes(given),
        ),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": _security(given),
    }


def _executor(given: Given) -> dict[str, Any]:
    """What runs the module, and the containers."""
    others: list[dict[str, Any]] = [plain(each) for each in given.spec.containers]
    if given.in_container:
        app = of_the_app(given, runner.executor(given))
        return {
            "initContainers": [runner.pull(given)],
            "containers": [app, *others],
            "volumes": runner.volumes(given),
        }
    shim = {
        "image": given.image,
        "imagePullPolicy": "Always" if given.context.always_pull else "IfNotPresent",
        "command": [given.artifact.entrypoint or ARGV0],
    }
    return {"runtimeClassName": RUNTIME_CLASS, "containers": [of_the_app(given, shim), *others]}


def _security(given: Given) -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
        **present(sysctls=_sysctls(given)),
    }


def _sysctls(given: Given) -> list[dict[str, str]]:
    """Nobody in particular may listen on a low port only where the Pod's network says so; the node's cannot."""
    low = given.serves and given.spec.port < PRIVILEGED_PORTS
    if not low or given.spec.pod_template.spec.get("hostNetwork"):
        return []
    return [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]


def _spread(given: Given) -> list[dict[str, Any]]:
    """Pods of one version on different nodes, where there are so many."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels.selector(given.name)},
            "matchLabelKeys": ["pod-template-hash"],
        }
    ]


def _nodes(given: Given) -> dict[str, str]:
    """A DaemonSet's controller does not look at the RuntimeClass; the scheduler does, for all others."""
    return {labels.RUNTIME: "ready"} if given.workload == "DaemonSet" and not given.in_container else {}


def _checksum(given: Given) -> dict[str, str]:
    """What a Job reads when it begins is no reason to run it again."""
    rolls = given.workload in ("Deployment", "DaemonSet")
    return {labels.INPUTS: given.context.checksum} if given.context.checksum and rolls else {}
