"""The Pod template as it is applied: the user's `podTemplate` merged in, checked, and what follows from the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wherry.errors import InvalidValue
from wherry.plan import annotation
from wherry.plan.annotation import PREFIX, annotated
from wherry.plan.model import Run
from wherry.spec.collection import Listing, Plain
from wherry.spec.quantity import parse_quantity
from wherry.spec.shape import EXACT, Integer, Text
from wherry_operator import labels
from wherry_operator.desired import guard
from wherry_operator.desired.container import NAME
from wherry_operator.desired.given import Given
from wherry_operator.desired.guard import Merge
from wherry_operator.desired.pod import base
from wherry_operator.desired.strategic import merge

AT = "spec.podTemplate"
_CONTAINERS = Listing(
    Plain((("name", Text()), ("ports", Listing(Plain(), most=1024))), required=("name",)),
    most=1024,
)
_SPEC = Plain(
    (
        ("terminationGracePeriodSeconds", Integer(0, EXACT)),
        ("containers", _CONTAINERS),
        ("initContainers", _CONTAINERS),
        ("volumes", Listing(Plain((("name", Text()),), required=("name",)), most=1024)),
    ),
    required=("terminationGracePeriodSeconds", "containers"),
)
"""What is read here of a merged specification; the API server checks the rest."""
_SLEEP = Plain((("sleep", Plain((("seconds", Integer()),))),))
_APP = Plain(
    (
        ("lifecycle", Plain((("preStop", _SLEEP),))),
        ("resources", Plain((("limits", Plain()), ("requests", Plain())))),
    ),
)
ALLOWANCE = 2
"""Seconds between the end of a drain and the kubelet's SIGKILL."""


def template(given: Given) -> dict[str, Any]:
    """metadata and spec of a PodTemplateSpec. Raises Wrong: what podTemplate may not change, or not to that."""
    ours, patch = base(given), given.spec.pod_template
    guard.check_metadata(patch.metadata, f"{AT}.metadata")
    spec = merge(ours["spec"], patch.spec, f"{AT}.spec")
    _check(spec, Merge(ours["spec"], spec, patch.spec, f"{AT}.spec"))
    marks = ours["metadata"]["annotations"] | patch.metadata.annotations
    return {
        "metadata": {
            "labels": ours["metadata"]["labels"] | patch.metadata.labels,
            "annotations": marks | {f"{PREFIX}{NAME}": _plan(given, spec)},
        },
        "spec": _with_workers(spec) if given.in_container and given.serves else spec,
    }


def selector(given: Given) -> dict[str, Any]:
    """Of the template's Pods; immutable in every workload, so that it never grows."""
    return {"matchLabels": labels.selector(given.name)}


def app_of(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container `app` of a merged specification."""
    found: Mapping[str, Any] = next(each for each in spec["containers"] if each["name"] == NAME)
    return found


def takes_a_port_of_the_node(spec: Mapping[str, Any]) -> bool:
    """Whether two of these Pods cannot be on one node."""
    ports = (port for each in spec["containers"] for port in each.get("ports", ()))
    return bool(spec.get("hostNetwork")) or any(port.get("hostPort") for port in ports)


def drain(spec: Mapping[str, Any]) -> float:
    """Seconds from SIGTERM on that an http app may take to finish its requests."""
    handler = (app_of(spec).get("lifecycle") or {}).get("preStop") or {}
    before = (handler.get("sleep") or {}).get("seconds") or 0
    return float(max(0, spec["terminationGracePeriodSeconds"] - before - ALLOWANCE))


def _check(spec: Mapping[str, Any], merge: Merge) -> None:
    _SPEC.read(spec, merge.at)
    guard.check_spec(merge)
    _APP.read(app_of(spec), guard.place(merge.patch, "containers", NAME, merge.at))


def _plan(given: Given, spec: Mapping[str, Any]) -> str:
    run: Run = "http" if given.serves else "command"
    known = annotated(given.spec, run, given.artifact.wasm, drain(spec), given.context.env_names)
    return annotation.render(known)


def _with_workers(spec: dict[str, Any]) -> dict[str, Any]:
    """The runner sees the node's processors, not its own share of them: as many workers as on a node with the shim."""
    workers = max(1, math.ceil(_processors(app_of(spec))))
    changed = [_asked(each, workers) if each["name"] == NAME else each for each in spec["containers"]]
    return {**spec, "containers": changed}


def _processors(container: Mapping[str, Any]) -> Decimal:
    """As they are limited; 0 without a limit, and for what is no quantity, which the API server tells."""
    limits = (container.get("resources") or {}).get("limits") or {}
    try:
        return parse_quantity(str(limits.get("cpu", 0)))
    except InvalidValue:
        return Decimal(0)


def _asked(container: Mapping[str, Any], workers: int) -> dict[str, Any]:
    *words, end = container["command"]
    return {**container, "command": [*words, "--workers", str(workers), end]}
