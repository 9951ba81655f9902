"""Programs of the node's tests: where they are, and what helps where they are not: tests/node/programs fetches them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support import cluster

VERSIONS = ("1.7", "2.3")
"""The containerds that are tested: the first is Debian's, the second is built with the cluster's programs."""
CURE = "run tests/node/programs and do what it says"


def fetched() -> Path:
    """The folder of what tests/node/programs fetches."""
    return Path(os.environ.get("WHERRY_TEST_PROGRAMS") or Path.home() / ".cache" / "wherry-test-programs")


def containerd(version: str) -> Path:
    """The folder of containerd, ctr and containerd-shim-runc-v2; skips the test where there is none."""
    folder = fetched() / "containerd-1.7" if version == "1.7" else cluster.programs()
    return needed(folder / "containerd", f"containerd {version}").parent


def cni_plugins() -> Path:
    """The folder of CNI plugins; skips the test where there is none."""
    return needed(cluster.programs() / "ptp", "CNI plugins").parent


def tool(name: str) -> Path:
    """crictl or critest; skips the test where there is none."""
    return needed(cluster.programs() / name, name)


def needed(path: Path, what: str) -> Path:
    """The path; skips the test where nothing is there."""
    if not path.exists():
        pytest.skip(f"no {what}: {CURE}")
    return path


def installed(name: str) -> Path:
    """A program of the system; skips the test where there is none."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"no {name}: {CURE}")
    return Path(found)


def root() -> None:
    """Skips the test for another user than root."""
    if os.geteuid() != 0:
        pytest.skip("containerd needs root: run the tests as root")
