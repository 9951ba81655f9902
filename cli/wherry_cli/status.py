"""`wherry status`: an app in a cluster on one page: what runs, how well, and what is in its way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import click

from wherry.spec.emission import dump
from wherry.spec.status import ArtifactStatus, Condition, Revision, Status, Trap
from wherry_cli import options
from wherry_cli.show import Fact, show, size
from wherry_operator.conditions import about
from wherry_operator.status.written import last

if TYPE_CHECKING:
    from wherry.cluster.names import Manifest
    from wherry_cli.cluster import Cluster, Target

COLOURS = {"True": "green", "False": "red", "Unknown": "yellow"}
SILENT = "none yet: the operator has not looked at it; is it installed, and does it serve this namespace?"


@click.command("status")
@click.argument("app")
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), help="Print the same for programs.")
@options.in_cluster
def command(app: str, output: Literal["json", "yaml"] | None, target: Target) -> None:
    """Show what an app in a cluster runs, and what is in its way.

    Revisions are counted as `wherry rollback --to` counts them.
    """
    found, pods = target.ask(lambda cluster: looked(cluster, app))
    if output:
        click.echo(machine(found, pods, output), nl=False)
        return
    status = last(found)
    known = facts(found, status)
    show(known, False, words(found, status, pods))


async def looked(cluster: Cluster, name: str) -> tuple[Manifest, list[Manifest]]:
    """The app and its Pods."""
    return await cluster.app(name), await cluster.pods(name)


def machine(app: Manifest, pods: Sequence[Manifest], form: Literal["json", "yaml"]) -> str:
    """The app as the cluster has it, and its Pods in short."""
    kept = {name: app[name] for name in ("apiVersion", "kind", "metadata", "spec", "status") if name in app}
    kept["metadata"] = {name: each for name, each in app["metadata"].items() if name != "managedFields"}
    document = kept | {"pods": [brief(pod) for pod in pods]}
    if form == "json":
        return json.dumps(document, ensure_ascii=False) + "\n"
    return dump([document])


def facts(app: Manifest, status: Status) -> dict[str, Fact]:
    """What the page tells, in its order; how it tells it is in `words`."""
    named = status.artifact or ArtifactStatus()
    return {
        "app": f"{app['metadata']['namespace']}/{app['metadata']['name']}",
        "url": status.url,
        "artifact": app["spec"]["artifact"],
        "digest": named.digest,
        "module": "",
        "signed by": named.signed_by,
        "pods": "",
        "conditions": "",
        "revisions": "",
        "put away": "",
        "last trap": "",
        "try": "",
    }


def words(app: Manifest, status: Status, pods: Sequence[Manifest]) -> dict[str, list[str]]:
    """The lines of what is more than a word."""
    return {
        "module": [module(status.artifact)] if status.artifact else [],
        "pods": [*map(pod_line, pods)] or ["none"],
        "conditions": [line for each in told_once(status.conditions) for line in condition_lines(each)] or [SILENT],
        "revisions": [revision_line(*each, status) for each in enumerate(status.revisions)],
        "put away": [f"{each.digest} at {each.time}: {each.reason}" for each in status.rejected],
        "last trap": trap_lines(status.last_trap) if status.last_trap else [],
        "try": [*advice(app, status)],
    }


def module(artifact: ArtifactStatus) -> str:
    """`component, 5.0 KiB, wasi:http/proxy`."""
    return ", ".join(each for each in (artifact.kind, size(artifact.size), artifact.world) if each)


def pod_line(pod: Manifest) -> str:
    known = brief(pod)
    state = click.style("ready", fg="green") if known["ready"] else click.style("not ready", fg="red")
    return f"{known['name']}  {state}  {known['phase']}  {known['restarts']} restarts  {known['node']}".rstrip()


def brief(pod: Manifest) -> dict[str, Any]:
    """A Pod in short: keys are API."""
    status = pod.get("status") or {}
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())
    restarts = sum(each.get("restartCount", 0) for each in status.get("containerStatuses") or ())
    return {
        "name": pod["metadata"]["name"],
        "phase": "Terminating" if pod["metadata"].get("deletionTimestamp") else status.get("phase", ""),
        "ready": ready,
        "restarts": restarts,
        "node": (pod.get("spec") or {}).get("nodeName", ""),
    }


def told_once(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """Ready repeats the message of the condition that is in its way: here that one stands above it."""
    for each in conditions:
        known = next((other.message for other in conditions if other != each and other.reason == each.reason), "")
        repeats = each.type == "Ready" and bool(known)
        yield replace(each, message=each.message.removeprefix(known).removeprefix("; ")) if repeats else each


def condition_lines(condition: Condition) -> list[str]:
    first, *rest = (condition.message or "").splitlines() or [""]
    state = click.style(f"{condition.status:<8}", fg=COLOURS[condition.status])
    head = f"{condition.type:<12}{state}{condition.reason}"
    return [f"{head}: {first}" if first else head, *(f"  {each}" for each in rest)]


def revision_line(number: int, revision: Revision, status: Status) -> str:
    runs = status.artifact is not None and status.artifact.digest == revision.digest
    return f"{number:<3}{revision.digest}  {revision.reference}  since {revision.since}{'  runs' if runs else ''}"


def trap_lines(trap: Trap) -> list[str]:
    return [f"{trap.time} {trap.pod}: {trap.reason}", *trap.message.splitlines()]


def advice(app: Manifest, status: Status) -> Iterator[str]:
    """What to do about what is in the way."""
    if status.conditions and status.observed_generation < app["metadata"].get("generation", 0):
        yield "wait: the operator has not seen the last edit yet"
    ready = next((each for each in status.conditions if each.type == "Ready"), None)
    known = about("Ready", ready.reason) if ready else None
    if known and known.cure:
        yield known.cure
