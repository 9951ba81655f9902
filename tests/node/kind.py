"""A node of a kind cluster, and pods on it. `WHERRY_KIND` names the cluster; it must be there already."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.node.emptyroot import STATIC_SHELL
from tests.support import cluster

_PLACES = "/etc /opt /usr/local /var/lib/wherry /run/wherry"
_FILE = "-type f -printf '%p %m %U %G %T@ ' -exec sha256sum {} ';'"
_SNAPSHOT = f"find {_PLACES} {_FILE} -o -printf '%p %m %l\\n' 2>/dev/null; true"
_ENDED = ".status.containerStatuses[0].state.terminated"


@dataclass(frozen=True)
class KindNode:
    """cluster and name: as kind and Kubernetes call them."""

    cluster: str
    name: str

    def exec(self, *command: str) -> str:
        """Run a program on the node."""
        return _run("docker", "exec", self.name, *command)

    def snapshot(self) -> set[str]:
        """Every file that an installer may touch: mode, owner, time, digest."""
        return set(self.exec("sh", "-c", _SNAPSHOT).splitlines())

    def load(self, archive: Path, *options: str) -> None:
        """Give the node an image. options: of `ctr images import`."""
        with archive.open("rb") as file:
            command = ["docker", "exec", "-i", self.name, "ctr", "-n", "k8s.io", "images", "import", *options, "-"]
            subprocess.run(command, stdin=file, stdout=subprocess.DEVNULL, check=True)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Ask the cluster."""
        command = [str(cluster.programs() / "kubectl"), "--context", f"kind-{self.cluster}", *arguments]
        return _run(*command, stdin=stdin)

    def apply(self, *documents: dict[str, Any]) -> None:
        """JSON is YAML."""
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, documents)))

    def run(self, pod: dict[str, Any]) -> tuple[int, str]:
        """Run a pod of one container on this node to its end: the exit code and the log."""
        name = pod["metadata"]["name"]
        pod["spec"] |= {"nodeName": self.name, "restartPolicy": "Never"}
        self.apply({"apiVersion": "v1", "kind": "Pod", **pod})
        try:
            self.kubectl("wait", f"--for=jsonpath={{{_ENDED}}}", "--timeout=240s", f"pod/{name}")
            code = self.kubectl("get", "pod", name, "-o", f"jsonpath={{{_ENDED}.exitCode}}")
            return int(code), self.kubectl("logs", name)
        finally:
            self.kubectl("delete", "pod", name, "--wait", "--timeout=120s")


def worker() -> KindNode:
    """A node of the cluster that `WHERRY_KIND` names, a worker if it has one; skips the test without it."""
    name = os.environ.get("WHERRY_KIND")
    if not name or shutil.which("docker") is None:
        pytest.skip("needs a kind cluster: run tests/node/cluster up, and export what it prints")
    label = f"label=io.x-k8s.kind.cluster={name}"
    names = sorted(
        _run("docker", "ps", "--filter", label, "--format", "{{.Names}}").split(), key=lambda node: "control" in node
    )
    return KindNode(name, names[0])


def image_of_tree(root: Path, archive: Path, name: str) -> None:
    """An image that holds the tree and a shell, as `docker load` and `ctr images import` take it."""
    layer = archive.with_suffix(".layer")
    with tarfile.open(layer, "w") as tar:
        tar.add(root, "tree")
        tar.add(STATIC_SHELL.resolve(), "bin/sh")
    digest = _run("sha256sum", str(layer)).split()[0]
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]}, "rootfs": rootfs}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        tar.add(layer, "layer.tar")
        for path, document in (("config.json", config), ("manifest.json", manifest)):
            data = json.dumps(document).encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    layer.unlink()


def _run(*command: str, stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
