"""What both sides apply: a WasmApp, and the objects that it becomes with a container in the module's place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.e2e.cluster import Manifest
from tests.render.cases import artifact_of
from wherry.cluster.names import APP
from wherry.plan.annotation import PREFIX
from wherry.spec.parse import parse
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render

SMALL = {"requests": {"cpu": "1m", "memory": "8Mi"}}
"""So that a hundred of them fit on a node, whatever else is there."""
OWN_APP = "app"
"""The label of a side that is none of the operator's."""


@dataclass(frozen=True)
class Side:
    """artifact: what runs, a reference. written: the objects that a user of this side applies for a WasmApp."""

    name: str
    artifact: str
    written: Callable[[Manifest], list[Manifest]]

    def app(self, name: str, **spec: Any) -> list[Manifest]:
        """An http app with these fields of a WasmApp's spec."""
        whole = {"artifact": self.artifact, "run": "http", "resources": SMALL, **spec}
        return self.written({**_HEAD, "metadata": {"name": name}, "spec": whole})

    def of(self, artifact: str) -> Side:
        return replace(self, artifact=artifact)


_HEAD = {"apiVersion": "wherry.dev/v1alpha1", "kind": "WasmApp"}


def as_it_is(app: Manifest) -> list[Manifest]:
    return [app]


def contained(app: Manifest, runtime_class: str) -> list[Manifest]:
    """The app's Service and Deployment or DaemonSet, for a container of the image that stands as its artifact.

    runtime_class: "" is the cluster's default.
    """
    (parsed,) = parse(json.dumps(app), "bench")
    rendered = json.dumps(render(parsed, artifact_of(parsed, {}), Context()))
    objects: list[Manifest] = json.loads(rendered.replace(f'"{APP}"', f'"{OWN_APP}"'))
    return [_contained(each, app["spec"]["artifact"], runtime_class) for each in objects]


def _contained(manifest: Manifest, image: str, runtime_class: str) -> Manifest:
    name = manifest["metadata"]["name"]
    manifest["metadata"] = {"name": name, "labels": {OWN_APP: name}}
    if template := manifest["spec"].get("template"):
        template["metadata"] = _plain(template["metadata"], name)
        (container,) = template["spec"]["containers"]
        del container["command"], template["spec"]["runtimeClassName"]
        container["image"] = image
        template["spec"] |= {"runtimeClassName": runtime_class} if runtime_class else {}
    return manifest


def _plain(metadata: Manifest, name: str) -> Manifest:
    """Without the operator's labels and the plan."""
    annotations = {key: value for key, value in metadata["annotations"].items() if not key.startswith(PREFIX)}
    return {"labels": {OWN_APP: name}, "annotations": annotations}
