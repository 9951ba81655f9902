"""The chart as helm renders it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT
from tests.support import cluster

CHART = ROOT / "charts" / "wherry"
VALUES = Path(__file__).parent / "values"
NAMESPACE = "wherry-system"
CRD = "CustomResourceDefinition"

Manifest = dict[str, Any]


def program() -> Path:
    """Skips the test where helm is not installed."""
    built = cluster.programs() / "helm"
    found = shutil.which("helm") or (built if built.exists() else None)
    if found is None:
        pytest.skip("needs helm: install it, or set WHERRY_CLUSTER_CACHE to a folder with bin/helm")
    return Path(found)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=60, check=False)


def render(*options: str | Path, namespace: str = NAMESPACE) -> str:
    """What `helm install` would send, hooks among it."""
    done = run("template", "wherry", CHART, "--namespace", namespace, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(*options: str | Path, namespace: str = NAMESPACE) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(render(*options, namespace=namespace)) if document]


def cases() -> list[Path]:
    """Files of values: every combination that makes a difference."""
    return sorted(VALUES.glob("*.yaml"))


@dataclass(frozen=True, order=True)
class Name:
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> Name:
        meta = manifest["metadata"]
        return cls(manifest["kind"], meta.get("namespace", ""), meta["name"])

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, self.namespace, self.name)))


def find(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """Raises StopIteration when there is none."""
    return next(each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name)


def container(manifest: Manifest) -> Manifest:
    """The first container of an object with a Pod template."""
    first: Manifest = manifest["spec"]["template"]["spec"]["containers"][0]
    return first
