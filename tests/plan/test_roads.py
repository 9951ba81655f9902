"""One app, three roads, one plan: on this machine, as an annotation through an ordinary container, and on a node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plan.guests import COMMAND, FILE, HTTP, generous, guest
from tests.spec.apps import RIGHT, document
from tests.support import bundles
from wherry.plan import annotation, bundle
from wherry.plan.annotation import PREFIX, annotated
from wherry.plan.from_app import from_app
from wherry.plan.from_bundle import from_bundle
from wherry.plan.from_container import from_container
from wherry.plan.model import RunPlan
from wherry.spec.model import WasmApp
from wherry.spec.parse import parse, read
from wherry.wasm.module import Inspection

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


def _annotation(app: WasmApp, local: RunPlan) -> str:
    """What the operator annotates the app's Pod with."""
    named = {variable.name for variable in app.spec.env}
    brought = [name for name, _ in local.env if name not in named]
    return annotation.render(annotated(app.spec, local.run, FILE.digest, names=brought))


def _in_a_container(app: WasmApp, local: RunPlan) -> RunPlan:
    """The kubelet gives an ordinary container its arguments, variables and mounts."""
    text = _annotation(app, local)
    return from_container(text, "/opt/app.wasm", local.argv[1:], IMAGE | dict(local.env), _mountinfo(app))


def _on_a_node(app: WasmApp, local: RunPlan) -> RunPlan:
    """The kubelet gives them to containerd, and containerd to the shim, among much that is not the guest's."""
    volume = f"{bundles.KUBELET}/volumes/kubernetes.io~empty-dir"
    grants = [(f"{volume}/{grant.name}", grant.mount_path, grant.read_only) for grant in app.spec.capabilities.files]
    container = bundles.Container(
        args=("/app.wasm", *local.argv[1:]),
        env=IMAGE | dict(local.env),
        mounts=[*grants, (f"{volume}/other", "/not/granted", False)],
        ports=[{"name": "http", "containerPort": 9, "protocol": "TCP"}],
        pod_annotations={f"{PREFIX}app": _annotation(app, local), f"{PREFIX}other": "{}"},
        token=True,
    )
    return from_bundle(bundle.read(bundles.config(container)), FILE, _never)


def _never() -> Inspection:
    raise AssertionError("the annotation says how the guest is called")


def _anywhere(plan: RunPlan) -> RunPlan:
    mounts = tuple(replace(mount, host="") for mount in plan.mounts)
    return replace(plan, wasm=replace(plan.wasm, path=""), mounts=mounts)


@pytest.mark.parametrize(("reason", "app"), APPS, ids=[reason for reason, _ in APPS])
def test_every_road_leads_to_the_same_plan(reason: str, app: WasmApp) -> None:
    said = HTTP if app.spec.run in (None, "http") else COMMAND
    local = from_app(app, guest(said), generous(app))
    assert _anywhere(_in_a_container(app, local)) == _anywhere(local)
    assert _anywhere(_on_a_node(app, local)) == _anywhere(local)


def test_the_examples_are_among_the_apps() -> None:
    assert len(EXAMPLES) > 5
