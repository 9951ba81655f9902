"""A Job is made once. When it is not there any more, its TTL or a person has removed it, and this is what is known."""

from __future__ import annotations

from wherry.spec.model import WasmApp
from wherry_operator.conditions import Verdict
from wherry_operator.status.workload import Workload

_ENDS = ("JobComplete", "JobFailed")
"""Reasons of Available that tell how it ended."""


def last_job(app: WasmApp, found: Workload | None) -> str:
    """Name of the Job that was made last; "" for an app that is no Job, so that it runs when it becomes one again."""
    if app.spec.run != "job":
        return ""
    return str(found.manifest["metadata"]["name"]) if found and found.kind == "Job" else app.status.last_job


def removed(app: WasmApp) -> Workload | None:
    """The Job as it was last told of; None for an app of which none was made."""
    if app.spec.run != "job" or not app.status.last_job or app.status.artifact is None:
        return None
    digest = app.status.artifact.digest
    manifest = {"kind": "Job", "metadata": {"name": app.status.last_job}, "spec": {"image": digest}}
    return Workload(manifest=manifest, wanted=1, removed=_end(app))


def _end(app: WasmApp) -> Verdict:
    told = next((each for each in app.status.conditions if each.type == "Available"), None)
    if told and told.reason in _ENDS:
        return Verdict(told.status, told.reason, told.message)
    return Verdict("False", "JobRemoved", f"Job {app.status.last_job} was removed before its end was seen")
