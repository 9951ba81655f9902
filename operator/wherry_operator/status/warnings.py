"""What a spec says that is allowed and probably not meant. Told with Ready; it stops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wherry.errors import InvalidValue
from wherry.spec.model import WasmApp
from wherry.spec.quantity import format_bytes, parse_bytes
from wherry.spec.status import ArtifactStatus
from wherry_operator import labels
from wherry_operator.status import rollback

HTTP = "wasi:http/incoming-handler"


def warnings(app: WasmApp, artifact: ArtifactStatus | None) -> tuple[str, ...]:
    """One sentence each. artifact: says whether an app without spec.run serves http."""
    return (*_memory(app, artifact), *_cpu(app), *_without_effect(app))


def _memory(app: WasmApp, artifact: ArtifactStatus | None) -> Iterator[str]:
    """Instances that live at once, each with all of its memory, against what the Pod may use."""
    limit, most = _pod_limit(app), app.spec.limits.memory * app.spec.limits.concurrency
    if limit is not None and most > limit and _serves(app, artifact):
        yield (
            f"limits.memory times limits.concurrency is {format_bytes(most)}, the Pod's memory limit "
            f"{format_bytes(limit)}: requests at once may get it killed; "
            "lower one of the two, or raise resources.limits.memory"
        )


def _cpu(app: WasmApp) -> Iterator[str]:
    asked = app.spec.autoscaling is not None and app.spec.autoscaling.cpu is not None
    if asked and not {"cpu"} & (app.spec.resources.requests.keys() | app.spec.resources.limits.keys()):
        yield "autoscaling.cpu is a part of what the Pod requests, and it requests no CPU; set resources.requests.cpu"


def _without_effect(app: WasmApp) -> Iterator[str]:
    if app.spec.rollback is not None and not rollback.in_force(app):
        yield f"spec.rollback was written for {app.spec.rollback.artifact} and has no effect any more; remove it"
    if app.spec.rollout.automatic_rollback and app.spec.run in ("job", "cron"):
        yield f"rollout.automaticRollback has no effect with run: {app.spec.run}, which is not rolled out"


def _serves(app: WasmApp, artifact: ArtifactStatus | None) -> bool:
    exports = artifact.exports if artifact and not app.spec.run else ()
    return app.spec.run == "http" or any(each.partition("@")[0] == HTTP for each in exports)


def _pod_limit(app: WasmApp) -> int | None:
    """Bytes: what podTemplate says of the container, else spec.resources; None for no limit."""
    written = _of_template(app) or (
        app.spec.resources.limits["memory"].text if "memory" in app.spec.resources.limits else ""
    )
    try:
        return parse_bytes(written) if written else None
    except InvalidValue:  # the API server refuses the Pod, and says why
        return None


def _of_template(app: WasmApp) -> str:
    containers: Any = app.spec.pod_template.spec.get("containers") or ()
    ours = next((each for each in containers if isinstance(each, Mapping) and each.get("name") == labels.CONTAINER), {})
    limits = (ours.get("resources") or {}).get("limits") or {}
    return str(limits.get("memory", ""))
