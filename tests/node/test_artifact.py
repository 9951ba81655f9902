"""From what real containerds write for a container to the plan of its guest: nothing here was written by us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import images, programs
from tests.support.containerd import Containerd, containerd
from tests.support.containerd_config import Handler
from tests.support.cri_configs import ContainerSpec, Mounted, PodSpec
from tests.support.pods import Pod
from tests.support.registry import Registry
from wherry.errors import StartError
from wherry.oci.digest import digest_of
from wherry.plan.annotation import PREFIX
from wherry.plan.bundle import Bundle, read, role, termination_log
from wherry.plan.model import Mount
from wherry_shim.artifact.chain import Task, is_wasm_image, planned
from wherry_shim.artifact.node import Node
from wherry_shim.artifact.prewarm import prewarm

pytestmark = [pytest.mark.peer, pytest.mark.slow]

HANDLER = Handler(
    "annotated",
    options={"SystemdCgroup": False},
    pod_annotations=("plan.wherry.dev/*",),
    container_annotations=("io.kubernetes.container.*",),
)
OTHER = "sha256:" + "0" * 64
NAME = "wasm-http"
HTTP = images.reference(NAME)


@pytest.fixture(scope="module", params=programs.VERSIONS)
def node(request: pytest.FixtureRequest, node_registry: Registry) -> Iterator[Containerd]:
    with containerd(request.param, {images.HOST: node_registry.host}, images.PAUSE, [HANDLER]) as running:
        for name in (NAME, images.TAR, "hold"):
            running.cri.pull(images.reference(name))
        yield running


@pytest.fixture(scope="module")
def wasm() -> str:
    """The digest of the artifact's layer."""
    return digest_of(images.WASM[NAME]().read_bytes())


@pytest.fixture
def here(node: Containerd, tmp_path: Path) -> Node:
    content = node.settings.root / "io.containerd.content.v1.content"
    return Node(str(node.settings.socket), "k8s.io", content, tmp_path / "cache")


def _annotation(wasm: str) -> dict[str, str]:
    known = {"v": 1, "run": "http", "wasm": wasm, "http": {"port": 9090, "drain": 5}, "env": ["MODE"]}
    return {f"{PREFIX}app": json.dumps(known | {"limits": {"memory": 65536, "concurrency": 1}, "mounts": ["/data"]})}


def _pod(node: Containerd, annotations: dict[str, str] | None = None) -> Pod:
    return node.run(PodSpec("artifact", annotations=annotations or {}), HANDLER.name)


def _created(node: Containerd, pod: Pod, spec: ContainerSpec) -> Task:
    """A container as its task would be made: asked of the image by its ID, as a kubelet does."""
    status = node.cri.image(spec.image)
    assert status is not None
    config = spec.config(pod.spec) | {"image": {"image": status.id, "user_specified_image": spec.image}}
    container = node.cri.create(pod.id, config, pod.config)
    return Task(container, _bundle(node, container), Path)


def _bundle(node: Containerd, container: str) -> Bundle:
    ctr = programs.containerd(node.version) / "ctr"
    command = [str(ctr), f"--address={node.settings.socket}", "--namespace=k8s.io", "containers", "info", container]
    info: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return read(info["Spec"])


@pytest.fixture
def spec(tmp_path: Path) -> ContainerSpec:
    """As a kubelet asks: its own files and variables beside the Pod's."""
    for name in ("data", "more"):
        (tmp_path / name).mkdir()
    for name in ("hosts", "log"):
        (tmp_path / name).touch()
    return ContainerSpec(
        HTTP,
        command=("/app.wasm",),
        args=("a", "b"),
        env={"MODE": "fast", "KUBERNETES_SERVICE_HOST": "10.0.0.1"},
        mounts=(
            Mounted(tmp_path / "data", "/data", readonly=True),
            Mounted(tmp_path / "more", "/more"),
            Mounted(tmp_path / "hosts", "/etc/hosts"),
            Mounted(tmp_path / "log", "/dev/termination-log"),
        ),
        annotations={
            "io.kubernetes.container.ports": '[{"name":"http","containerPort":8081,"protocol":"TCP"}]',
            "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
        },
    )


def test_a_plain_pod_gets_what_it_asked_for_and_nothing_of_the_nodes(
    node: Containerd, here: Node, spec: ContainerSpec, wasm: str, tmp_path: Path
) -> None:
    task = _created(node, _pod(node), spec)
    plan = planned(task, here, here.records())
    assert (plan.run, plan.wasm.digest, plan.argv, plan.port) == ("http", wasm, ("/app.wasm", "a", "b"), 8081)
    assert plan.env == (("MODE", "fast"),)
    assert plan.mounts == (Mount(str(tmp_path / "data"), "/data", True), Mount(str(tmp_path / "more"), "/more"))
    assert termination_log(task.bundle) == str(tmp_path / "log")
    assert Path(plan.wasm.path).read_bytes() == images.WASM[NAME]().read_bytes()


def test_an_annotated_pod_gets_what_the_annotation_names(
    node: Containerd, here: Node, spec: ContainerSpec, wasm: str, tmp_path: Path
) -> None:
    plan = planned(_created(node, _pod(node, _annotation(wasm)), spec), here, here.records())
    assert (plan.port, plan.drain, plan.limits.memory) == (9090, 5.0, 65536)
    assert plan.mounts == (Mount(str(tmp_path / "data"), "/data", True),)


def test_an_annotation_of_other_bytes_starts_nothing(node: Containerd, here: Node, spec: ContainerSpec) -> None:
    task = _created(node, _pod(node, _annotation(OTHER)), spec)
    with pytest.raises(StartError, match=OTHER) as caught:
        planned(task, here, here.records())
    assert caught.value.reason == "artifact"


def test_a_digest_in_the_pod_leads_to_the_wasm_without_a_question(
    node: Containerd, here: Node, spec: ContainerSpec, wasm: str
) -> None:
    status = node.cri.image(HTTP)
    assert status is not None
    task = _created(node, _pod(node), replace(spec, image=status.repo_digests[0]))
    records = here.records() if programs.numbers(node.version) < (2, 0) else Node("/nowhere").records()
    assert planned(task, here, records).wasm.digest == wasm


def test_each_kind_of_container_is_told(node: Containerd, here: Node, spec: ContainerSpec) -> None:
    pod = _pod(node)
    specs = {
        "wasm": replace(spec, command=("/anything",)),
        "container": ContainerSpec(images.reference("hold"), name="sidecar"),
        "wasm by its entrypoint": ContainerSpec(images.reference(images.TAR), name="tar"),
    }
    found = {}
    for name, each in specs.items():
        task = _created(node, pod, each)
        found[name] = role(task.bundle, lambda task=task: is_wasm_image(task, here, here.records()))  # type: ignore[misc]
    assert found == {"wasm": "wasm", "container": "container", "wasm by its entrypoint": "wasm"}
    assert role(_bundle(node, pod.id), lambda: False) == "sandbox"


def test_an_image_on_the_node_can_be_compiled_ahead(here: Node) -> None:
    assert [path.suffix for path in prewarm(HTTP, here, here.records())] == [".cwasm"]
