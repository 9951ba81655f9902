"""A WasmApp and its artifact as Kubernetes objects, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wherry.errors import FieldError, InvalidApp
from wherry.spec.model import API_VERSION, KIND, WasmApp
from wherry.spec.shape import Wrong
from wherry.spec.status import ArtifactStatus
from wherry_operator import labels
from wherry_operator.desired import batch, exposure, kinds, scaling, workload
from wherry_operator.desired.container import present
from wherry_operator.desired.context import Context
from wherry_operator.desired.given import Given
from wherry_operator.desired.hashing import short_hash
from wherry_operator.desired.kinds import Kind
from wherry_operator.desired.run import run_of
from wherry_operator.desired.service import service
from wherry_operator.desired.template import template
from wherry_operator.manifest import Manifest

HASH = 16
"""Hexadecimal digits of `labels.RENDERED`."""


def render(app: WasmApp, artifact: ArtifactStatus, context: Context) -> tuple[Manifest, ...]:
    """The same objects for the same arguments, fresh data each time, each with the hash of itself.

    Raises InvalidApp: podTemplate changes what it may not, or the artifact cannot be run as asked; InvalidReference.
    """
    given = Given(app, artifact, context, run_of(app, artifact))
    if given.in_container and not context.runner_image:
        fault = FieldError("spec.executor", "container", "shim: there is no image with the engine")
        raise InvalidApp(given.name, [fault])
    try:
        return tuple(_stamped(_object(given, kind, spec)) for kind, spec in _specs(given))
    except Wrong as wrong:
        raise InvalidApp(given.name, wrong.faults) from None


def _specs(given: Given) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """The Service is there before the Pods, and what leads to it comes last."""
    asked, pods = given.spec, template(given)
    if given.serves:
        yield kinds.SERVICE, service(given)
    yield _workload(given, pods)
    if asked.autoscaling:
        yield kinds.AUTOSCALER, scaling.autoscaler(given, asked.autoscaling, pods)
    if asked.disruption:
        yield kinds.DISRUPTION_BUDGET, scaling.disruption_budget(given, asked.disruption)
    if asked.expose and asked.expose.ingress:
        yield kinds.INGRESS, exposure.ingress(given, asked.expose.ingress)
    if asked.expose and asked.expose.gateway:
        yield kinds.HTTP_ROUTE, exposure.http_route(given, asked.expose.gateway)


def _workload(given: Given, pods: Mapping[str, Any]) -> tuple[Kind, dict[str, Any]]:
    match given.workload:
        case "Deployment":
            return kinds.DEPLOYMENT, workload.deployment(given, pods)
        case "DaemonSet":
            return kinds.DAEMON_SET, workload.daemon_set(given, pods)
        case "CronJob":
            return kinds.CRON_JOB, batch.cron_job(given, pods)
        case "Job":
            return kinds.JOB, batch.job(given, pods)


def _object(given: Given, kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {
        "name": batch.job_name(given) if kind == kinds.JOB else given.name,
        **present(namespace=given.app.metadata.namespace),
        "labels": labels.recommended(given.name),
        **present(annotations=_annotations(given, kind), ownerReferences=_owners(given)),
    }
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec}


def _annotations(given: Given, kind: Kind) -> dict[str, str]:
    """A controller of Ingresses is told by annotations what it may do; the other kinds have fields for that."""
    expose = given.spec.expose
    return {**expose.ingress.annotations} if kind == kinds.INGRESS and expose and expose.ingress else {}


def _owners(given: Given) -> list[dict[str, Any]]:
    """blockOwnerDeletion stays away: it would need a right to the app's finalizers, and nothing waits for us."""
    if not given.context.owner:
        return []
    owner = {"apiVersion": API_VERSION, "kind": KIND, "name": given.name, "uid": given.context.owner}
    return [{**owner, "controller": True}]


def _stamped(manifest: dict[str, Any]) -> Manifest:
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), labels.RENDERED: short_hash(manifest, HASH)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
