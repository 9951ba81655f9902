"""tests/contract/pod.yaml, which the tests of the shim start, is a Pod that the operator renders."""

from __future__ import annotations

import os
from typing import Any

from tests.render.cases import artifact_of
from tests.support import contract
from wherry.spec.emission import dump
from wherry.spec.parse import parse
from wherry_operator.desired.context import Context
from wherry_operator.desired.render import render

ARTIFACT = {"digest": f"sha256:{'0' * 64}", "wasm": f"sha256:{'1' * 64}"}


def bare_pod() -> dict[str, Any]:
    """As the Deployment's controllers would make it, but for a name of its own."""
    (app,) = parse((contract.FOLDER / "app.yaml").read_text(), "app.yaml")
    objects = render(app, artifact_of(app, ARTIFACT), Context())
    template = next(each["spec"]["template"] for each in objects if each["kind"] == "Deployment")
    metadata = {"name": app.metadata.name, **template["metadata"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_the_contracts_pod_is_what_the_operator_renders() -> None:
    """With an environment variable WRITE_CONTRACT it is written anew."""
    file = contract.FOLDER / "pod.yaml"
    text = f"# What the operator renders of app.yaml; a test puts its own image and digest there.\n{dump([bare_pod()])}"
    if os.environ.get("WRITE_CONTRACT"):
        file.write_text(text)
    assert text == file.read_text(), "pod.yaml differs: WRITE_CONTRACT=1 writes it anew"
