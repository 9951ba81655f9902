"""One app, three roads, one plan: on this machine, and from the Pod that the operator renders of it, in an ordinary
container and on a node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.plan.guests import COMMAND, FILE, HTTP, generous, guest
from tests.render.cases import artifact_of
from tests.spec.apps import RIGHT, document
from tests.support import bundles, kubelet
from wherry.plan import bundle
from wherry.plan.annotation import PREFIX
from wherry.plan.from_app import from_app
from wherry.plan.from_bundle import from_bundle
from wherry.plan.from_container import from_container
from wherry.plan.model import RunPlan
from wherry.spec.model import Executor, WasmApp
from wherry.spec.parse import parse, read
from wherry.wasm.module import Inspection
from wherry_operator.desired import sources
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/app.yaml"))
FULL = Path(__file__).parents[1] / "spec" / "golden" / "full.yaml"
IMAGE = {"PATH": "/usr/bin", "HOSTNAME": "pod", "HOME": "/", "KUBERNETES_PORT": "tcp://10.0.0.1:443"}


def _apps() -> list[tuple[str, WasmApp]]:
    tables = [(row.reason, read(document(row.spec), row.reason)) for row in RIGHT]
    files = [(str(path.parent.name), app) for path in [*EXAMPLES, FULL] for app in parse(path.read_text(), path.name)]
    return [*tables, *files]


APPS = _apps()


def _template(app: WasmApp, said: Inspection, executor: Executor) -> Any:
    """The Pods that the operator makes of the app, in a cluster where every ConfigMap and Secret has one key."""
    found = {each: {"data": {kubelet.WHOLE: ""}} for each in sources.of_pods(app)}
    context = Context(env_names=sources.env_names(app, found), runner_image="runner")
    artifact = artifact_of(app, {"wasm": FILE.digest, "kind": said.kind, "exports": [*said.exports]})
    objects = render(replace(app, spec=replace(app.spec, executor=executor)), artifact, context)
    specs = (each["spec"].get("jobTemplate", each)["spec"] for each in objects)
    return next(spec["template"] for spec in specs if "template" in spec)


def _in_a_container(app: WasmApp, said: Inspection) -> RunPlan:
    """The annotation comes as a file, the rest as the kubelet gives it to any container."""
    template = _template(app, said, "container")
    given = kubelet.started(template)
    text = template["metadata"]["annotations"][f"{PREFIX}app"]
    return from_container(text, "/opt/app.wasm", given.args, IMAGE | dict(given.env), given.mountinfo)


def _on_a_node(app: WasmApp, said: Inspection) -> RunPlan:
    """The kubelet gives it to containerd, and containerd to the shim, among much that is not the guest's."""
    template = _template(app, said, "shim")
    given = kubelet.started(template)
    volumes = f"{bundles.KUBELET}/volumes/kubernetes.io~empty-dir"
    mounts = [(f"{volumes}/{name}", path, is_readonly) for name, path, is_readonly in given.mounts]
    container = bundles.Container(
        args=(*given.command, *given.args),
        env=IMAGE | dict(given.env),
        mounts=[*mounts, (f"{volumes}/other", "/not/granted", False)],
        ports=[{"name": "http", "containerPort": 9, "protocol": "TCP"}],
        pod_annotations={**template["metadata"]["annotations"], f"{PREFIX}other": "{}"},
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
    assert _anywhere(_in_a_container(app, said)) == _anywhere(local)
    assert _anywhere(_on_a_node(app, said)) == _anywhere(local)


def test_the_examples_are_among_the_apps() -> None:
    assert len(EXAMPLES) > 5
