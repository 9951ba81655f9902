"""On a real node of Kubernetes: a privileged pod installs, ordinary pods run, another takes everything off again."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import WHERRY
from tests.node.kind import KindNode, image_of_tree, worker
from wherry_shim.node import tree

pytestmark = [pytest.mark.peer, pytest.mark.slow]

INSTALLER = "wherry.test/node:v1"
HELLO = "wherry.test/hello:v1"
HELLO_WASM = Path(__file__).parents[2] / "examples" / "01-hello" / "hello.wasm"
CLASS = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "wherry"}, "handler": "wherry"}


def wasm_archive(folder: Path) -> Path:
    """The hello artifact, as `ctr images import` takes it."""
    layout = folder / "layout"
    subprocess.run([WHERRY, "push", HELLO_WASM, f"oci:{layout}:v1"], check=True, capture_output=True)
    archive = folder / "hello.tar"
    with tarfile.open(archive, "w") as tar:
        for path in sorted(layout.iterdir()):
            tar.add(path, path.name)
    return archive


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KindNode]:
    """A worker that has the images of these tests."""
    found, folder = worker(), tmp_path_factory.mktemp("kind")
    root = folder / "tree"
    root.mkdir()
    tree.build(root, lambda listed: Path("/opt/wherry/versions") / listed.name)
    image_of_tree(root, folder / "installer.tar", INSTALLER)
    found.load(folder / "installer.tar")
    found.load(wasm_archive(folder), "--no-unpack", "--base-name", HELLO.partition(":")[0])
    found.apply(CLASS)
    yield found
    found.kubectl("delete", "runtimeclass", "wherry")
    found.exec("ctr", "-n", "k8s.io", "images", "remove", INSTALLER, HELLO)
    shutil.rmtree(folder)


def in_a_pod(node: KindNode, command: str) -> tuple[int, str]:
    """Run `wherry-node …` in a pod that has the node's root, as a DaemonSet would."""
    _, *arguments = shlex.split(command)
    container: dict[str, Any] = {
        "name": "installer",
        "image": INSTALLER,
        "imagePullPolicy": "Never",
        "command": ["/tree/bin/python", "-P", "-m", "wherry_shim.node", *arguments],
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "host", "mountPath": "/host"}],
    }
    volumes = [{"name": "host", "hostPath": {"path": "/"}}]
    spec = {"hostPID": True, "containers": [container], "volumes": volumes}
    return node.run({"metadata": {"name": "installer"}, "spec": spec})


def hello(node: KindNode) -> tuple[int, str]:
    """A Wasm pod, without anything but its class and its image."""
    container = {"name": "app", "image": HELLO, "imagePullPolicy": "Never", "command": ["/app.wasm"]}
    spec = {"runtimeClassName": "wherry", "containers": [container]}
    return node.run({"metadata": {"name": "hello"}, "spec": spec})


def test_a_pod_installs_wasm_pods_run_and_uninstall_leaves_every_byte_as_it_was(node: KindNode) -> None:
    before = node.snapshot()
    assert "installed: " in succeeded(in_a_pod(node, f"wherry-node install --root /host --probe-image {HELLO}"))
    assert "known to containerd" in succeeded(in_a_pod(node, "wherry-node check --root /host"))
    assert succeeded(hello(node)).endswith("Hello from the command line\n")
    assert "nothing to do: " in succeeded(in_a_pod(node, "wherry-node install --root /host"))
    assert "MiB" in succeeded(in_a_pod(node, f"wherry-node prewarm --root /host {HELLO}"))
    succeeded(in_a_pod(node, "wherry-node uninstall --root /host"))
    unchanged_since(before, node)


def test_a_probe_that_fails_leaves_the_node_as_it_was(node: KindNode) -> None:
    before = node.snapshot()
    code, said = in_a_pod(node, "wherry-node install --root /host --probe-image wherry.test/absent:v1")
    assert code == 1
    assert "that failed: everything is undone" in said
    assert "(the node is as it was)" in said
    unchanged_since(before, node)


def unchanged_since(before: set[str], node: KindNode) -> None:
    """Nothing of an installation is left: no file, no unit, no process."""
    assert node.snapshot() ^ before == set()
    assert "wherry" not in node.exec("systemctl", "list-units", "--all", "--no-legend")
    assert "/opt/wherry" not in node.exec("sh", "-c", "cat /proc/[0-9]*/maps 2>/dev/null; true")


def succeeded(ended: tuple[int, str]) -> str:
    """The log of a pod that ended well."""
    code, said = ended
    assert code == 0, said
    return said
