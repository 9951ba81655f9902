"""The container `app`, and what it has in common under both executors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry.spec.pod import EnvFrom, EnvSource, EnvVar
from wherry_operator.desired.given import Given
from wherry_operator.desired.strategic import plain

NAME = "app"
PORT = "http"
GRACE = 30
"""Seconds; Kubernetes' own default, written down so that a change of it is seen."""
PRE_STOP = 5
"""Seconds for load balancers to forget the Pod before it stops to listen."""


def of_the_app(given: Given, executor: Mapping[str, Any]) -> dict[str, Any]:
    """executor: image, command and what else differs between the two."""
    spec = given.spec
    mounts = [*executor.get("volumeMounts", ()), *_mounts(given)]
    named = {variable.name for variable in spec.env}
    own = [each for each in executor.get("env", ()) if each["name"] not in named]
    return {
        "name": NAME,
        "image": executor["image"],
        **executor,
        **present(args=[*spec.args], env=[*own, *map(_variable, spec.env)], envFrom=[*map(_source, spec.env_from)]),
        **(_serving(given) if given.serves else {}),
        **present(resources=resources(given), volumeMounts=mounts),
        **confined(),
    }


def confined() -> dict[str, Any]:
    """What the restricted Pod Security Standard asks of a container, and the end of its log where it ends badly."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {"securityContext": security, "terminationMessagePolicy": "FallbackToLogsOnError"}


def resources(given: Given) -> dict[str, Any]:
    """As in a Pod; what is empty is left out."""
    asked = given.spec.resources
    return present(
        **{
            kind: {name: amount.text for name, amount in amounts.items()}
            for kind, amounts in (("requests", asked.requests), ("limits", asked.limits))
        }
    )


def pre_stop(grace: object) -> int:
    """Seconds before SIGTERM: a short grace period leaves fewer. grace: as the user wrote it."""
    return min(PRE_STOP, grace // 4) if isinstance(grace, int) else PRE_STOP


def present(**fields: Any) -> dict[str, Any]:
    """The fields that are not empty: absence says the same, and the API server leaves them out too."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _serving(given: Given) -> dict[str, Any]:
    sleep = pre_stop(given.spec.pod_template.spec.get("terminationGracePeriodSeconds", GRACE))
    return {
        "ports": [{"name": PORT, "containerPort": given.spec.port, "protocol": "TCP"}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        **({"lifecycle": {"preStop": {"sleep": {"seconds": sleep}}}} if sleep > 0 else {}),
    }


def _mounts(given: Given) -> list[dict[str, Any]]:
    grants = given.spec.capabilities.files
    return [
        {"name": each.name, "mountPath": each.mount_path, **({"readOnly": True} if each.read_only else {})}
        for each in grants
    ]


def _variable(variable: EnvVar) -> dict[str, Any]:
    if variable.value_from:
        return {"name": variable.name, "valueFrom": plain(variable.value_from)}
    return {"name": variable.name, "value": variable.value or ""}


def _source(source: EnvFrom) -> dict[str, Any]:
    refs = present(configMapRef=_ref(source.config_map_ref), secretRef=_ref(source.secret_ref))
    return present(prefix=source.prefix) | refs


def _ref(source: EnvSource | None) -> dict[str, Any]:
    if source is None:
        return {}
    return {"name": source.name, **({"optional": True} if source.optional else {})}
