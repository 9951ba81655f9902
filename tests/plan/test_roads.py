"""One app, two roads, one plan: on this machine, and as an annotation through an ordinary container."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.guests import COMMAND, FILE, HTTP, generous, guest
from tests.spec.apps import RIGHT, document
from wherry.plan import annotation
from wherry.plan.annotation import annotated
from wherry.plan.from_app import from_app
from wherry.plan.from_container import from_container
from wherry.plan.model import RunPlan
from wherry.spec.model import WasmApp
from wherry.spec.parse import parse, read

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/app.yaml"))
FULL = Path(__file__).parents[1] / "spec" / "golden" / "full.yaml"
IMAGE = {"PATH": "/usr/bin", "HOSTNAME": "pod", "HOME": "/", "KUBERNETES_PORT": "tcp://10.0.0.1:443"}


def _apps() -> list[tuple[str, WasmApp]]:
    tables = [(row.reason, read(document(row.spec), row.reason)) for row in RIGHT]
    files = [(str(path.parent.name), app) for path in [*EXAMPLES, FULL] for app in parse(path.read_text(), path.name)]
    return [*tables, *files]


APPS = _apps()


def _mountinfo(app: WasmApp) -> str:
    """What a container's /proc/self/mountinfo says of the volumes that the kubelet mounted."""
    lines = ["600 500 0:50 / / ro,relatime - overlay overlay ro"]
    for number, grant in enumerate(app.spec.capabilities.files):
        way, point = "ro" if grant.read_only else "rw", grant.mount_path.replace(" ", r"\040")
        lines.append(f"{700 + number} 600 8:1 /vol {point} {way},relatime shared:1 - ext4 /dev/sda1 rw")
    return "\n".join(lines) + "\n"


def _in_a_container(app: WasmApp, local: RunPlan) -> RunPlan:
    """The operator annotates the app; the kubelet gives the container its arguments, variables and mounts."""
    named = {variable.name for variable in app.spec.env}
    brought = [name for name, _ in local.env if name not in named]
    text = annotation.render(annotated(app.spec, local.run, FILE.digest, names=brought))
    return from_container(text, "/opt/app.wasm", local.argv[1:], IMAGE | dict(local.env), _mountinfo(app))


def _anywhere(plan: RunPlan) -> RunPlan:
    mounts = tuple(replace(mount, host="") for mount in plan.mounts)
    return replace(plan, wasm=replace(plan.wasm, path=""), mounts=mounts)


@pytest.mark.parametrize(("reason", "app"), APPS, ids=[reason for reason, _ in APPS])
def test_both_roads_lead_to_the_same_plan(reason: str, app: WasmApp) -> None:
    said = HTTP if app.spec.run in (None, "http") else COMMAND
    local = from_app(app, guest(said), generous(app))
    assert _anywhere(_in_a_container(app, local)) == _anywhere(local)


def test_the_examples_are_among_the_apps() -> None:
    assert len(EXAMPLES) > 5
