"""What pages say to do on a cluster, done word for word: in a copy of this tree, in a namespace of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.docs.blocks import CLUSTER, done, pages
from tests.docs.walkthrough import PORT, Walk
from tests.e2e.cluster import Cluster, run
from tests.e2e.namespace import Namespace
from tests.e2e.private import PASSWORD
from tests.support.cluster import programs

pytestmark = [pytest.mark.peer, pytest.mark.slow]

REGISTRY, PRIVATE, ORDINARY = "localhost:5001", "registry.example.com", "busybox:1"
"""What pages call the cluster's registry, a registry with a password, and the image of an ordinary container."""
PAGES = [page for page in pages() if done(page, CLUSTER)]
PATIENCE = 900
HANDED_ON = ("WHERRY_KIND", "KIND_", "REGISTRY_", "DOCKER_", "PYTHON_IMAGE")
NOT_COPIED = (".git", ".venv", "__pycache__", "*.egg-info", ".*cache")


@dataclass(frozen=True)
class ClusterWalk(Walk):
    """A page followed by somebody whose kubectl means the cluster and the story's namespace."""

    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        newcomer = super().environment()
        handed_on = {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)}
        path = f"{programs()}{os.pathsep}{newcomer['PATH']}"
        return {**newcomer, **handed_on, "PATH": path, "PASSWORD": PASSWORD, **self.variables}


@pytest.fixture(scope="session")
def ordinary(cluster: Cluster) -> str:
    """The ordinary image, where nodes find it that have no way to the internet."""
    name = f"{cluster.registry}/{ORDINARY}"
    if subprocess.run(["docker", "image", "inspect", ORDINARY], capture_output=True, check=False).returncode:
        run("docker", "pull", "--quiet", ORDINARY)
    run("docker", "tag", ORDINARY, name)
    run("docker", "push", "--quiet", name)
    return name


@pytest.fixture
def kubeconfig(namespace: Namespace, tmp_path: Path) -> str:
    """One context, whose namespace is the story's."""
    path = tmp_path / "kubeconfig"
    path.write_text(namespace.cluster.kubectl("config", "view", "--raw", "--flatten", "--minify"))
    run("kubectl", "--kubeconfig", path, "config", "set-context", "--current", "--namespace", namespace.name)
    return str(path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """This tree as a newcomer has it after `make install`."""
    folder = tmp_path / "wherry"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_works_on_a_cluster(
    page: Path, namespace: Namespace, tree: Path, kubeconfig: str, ordinary: str, request: pytest.FixtureRequest
) -> None:
    known = {REGISTRY: namespace.cluster.registry, ORDINARY: ordinary}
    if PRIVATE in page.read_text():
        known[PRIVATE] = request.getfixturevalue("private_host")
    walk = ClusterWalk(tree, int(PORT), known, PATIENCE, {"KUBECONFIG": kubeconfig})
    assert walk.faults(done(page, CLUSTER)) == []
