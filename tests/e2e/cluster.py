"""The cluster that stories are told on, by the programs that a person has: kubectl, docker, helm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.support import cluster as built

SYSTEM = "wherry-system"
PROGRAMS = ("docker", "kind", "kubectl", "helm")
PATIENCE = 900
"""Seconds for a program to end: a first start builds images."""

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """name: as kind knows it. registry: the host of references, on this machine and on nodes."""

    name: str
    registry: str = f"localhost:{os.environ.get('REGISTRY_PORT', '5001')}"

    @property
    def context(self) -> str:
        return f"kind-{self.name}"

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """What it prints. Raises AssertionError with what it says when it fails and check is set."""
        return run("kubectl", "--context", self.context, *arguments, stdin=stdin, check=check)

    def helm(self, *arguments: str | Path) -> str:
        return run("helm", "--kube-context", self.context, *arguments)

    def on_node(self, node: str, *command: str) -> str:
        """Run a program on a node, as root."""
        return run("docker", "exec", node, *command)

    def get(self, kind: str, name: str = "", namespace: str = "", selector: str = "") -> Manifest:
        """One object, or a list of them; {} when there is none of that name."""
        place = ["--namespace", namespace] if namespace else []
        which = [name] if name else ["--selector", selector] if selector else []
        text = self.kubectl("get", kind, *which, *place, "--output", "json", "--ignore-not-found")
        found: Manifest = json.loads(text) if text else {}
        return found

    def workers(self) -> list[str]:
        """Nodes that run Wasm, by name."""
        return names(self.get("nodes", selector="wherry.dev/runtime=ready"))

    def image(self, name: str) -> str:
        """The image of `operator`, `agent` or `runner` that is installed."""
        settings = self.get("configmap", "wherry-operator", SYSTEM)["data"]
        runner: str = settings["WHERRY_RUNNER_IMAGE"]
        return runner.replace("/runner:", f"/{name}:")


def names(listed: Manifest) -> list[str]:
    return sorted(each["metadata"]["name"] for each in listed.get("items", ()))


def run(*command: str | Path, stdin: str = "", check: bool = True) -> str:
    """stdout."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment()
    )
    assert done.returncode == 0 or not check, f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"
    return done.stdout


def environment() -> dict[str, str]:
    """Of this process, but that what programs for Kubernetes were built for tests is found before what is installed."""
    return os.environ | {"PATH": f"{built.programs()}{os.pathsep}{os.environ['PATH']}"}


def running() -> Cluster:
    """The cluster that WHERRY_KIND names, made if it is not there, with the chart of this tree. Else skips."""
    name = os.environ.get("WHERRY_KIND")
    missing = [each for each in PROGRAMS if not (shutil.which(each) or (built.programs() / each).exists())]
    if not name or missing:
        without = f", and {', '.join(missing)} installed" if missing else ""
        pytest.skip(f"needs a kind cluster: `make e2e`{without}")
    run(ROOT / "cluster" / "up")
    deploy()
    return Cluster(name)


def deploy(options: Sequence[str] = ()) -> None:
    """Install or upgrade the chart of this tree with images of this tree."""
    run(ROOT / "cluster" / "deploy", *options)
